// Each example in a page of its framework. `start(which, shop)` shows it; `other(shop)` has it show another shop; `end()`
// takes it away.

const place = document.querySelector("main");

const ways = {
  async dom(shop) {
    const { showStock } = await import("../examples/dom/stock.js");
    place.append(document.createElement("ul"));
    let end = showStock(place.firstChild, shop);
    return {
      other: (another) => {
        end();
        end = showStock(place.firstChild, another);
      },
      end: () => {
        end();
        place.replaceChildren();
      },
    };
  },

  async react(shop) {
    const [{ createElement, StrictMode }, { createRoot }, { Stock }] = await Promise.all([
      import("react"),
      import("react-dom/client"),
      import("../examples/react/Stock.jsx"),
    ]);
    const root = createRoot(place);
    const other = (another) => root.render(createElement(StrictMode, null, createElement(Stock, { shop: another })));
    other(shop);
    return { other, end: () => root.unmount() };
  },

  async vue(shop) {
    const [{ createApp, h, shallowRef }, { default: Stock }] = await Promise.all([
      import("vue"),
      import("../examples/vue/Stock.vue"),
    ]);
    const shown = shallowRef(shop);
    const app = createApp({ render: () => h(Stock, { shop: shown.value }) });
    app.mount(place);
    return { other: (another) => (shown.value = another), end: () => app.unmount() };
  },

  async svelte(shop) {
    const [{ mount, unmount }, { default: Holder }] = await Promise.all([
      import("svelte"),
      import("./Holder.svelte"),
    ]);
    const holder = mount(Holder, { target: place, props: { shop } });
    return { other: (another) => holder.show(another), end: () => unmount(holder) };
  },
};

globalThis.start = async (which, shop) => Object.assign(globalThis, await ways[which](shop));
