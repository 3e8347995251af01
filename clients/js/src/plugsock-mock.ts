// The second file: a server's stand-in, which is loaded by `connect("mock:")`.

export { type MockSocket, mockSocket } from "./mock/index.js";
