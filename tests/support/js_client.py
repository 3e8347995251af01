"""A page that has nothing but the JavaScript client, as the server hands it out."""

HELPERS = """
globalThis.settled = (promise) => promise.then(
  (value) => ["ok", value instanceof Uint8Array ? [...value] : value],
  (error) => ["error", error.code ?? error.name, error.message],
);
globalThis.until = async (holds, what) => {
  for (let left = 1500; !(await holds()); left--) {
    if (!left) throw new Error(`never: ${what ?? holds}`);
    await new Promise((done) => setTimeout(done, 10));
  }
};
globalThis.states = [];
globalThis.client = connect(undefined, OPTIONS);
client.onState((state, why) => states.push(why ? [state, why.code] : [state]));
"""
"""What tests say in the page; `until` waits for up to 15 seconds."""


async def open_client(page, port, options="{}"):
    """Load the client from a server, or from a proxy before one, and connect: `client` is there."""
    await page.route("**/favicon.ico", lambda route: route.fulfill(body="", content_type="image/png"))
    await page.goto(f"http://127.0.0.1:{port}/plugsock.js")  # a page of the server's that does nothing by itself
    await page.evaluate(
        f"""async () => {{
          Object.assign(globalThis, await import("/plugsock.js"));
          {HELPERS.replace("OPTIONS", options)}
        }}"""
    )


async def is_open(page):
    """Wait until the client is connected."""
    await page.evaluate("until(() => client.state === 'open')")
