// What `connect("mock:")` loads.

export { type MockSocket, mockSocket } from "./socket.js";
