// One WebSocket that reconnects by itself. The server sends at least once a second, so silence means it is gone.

const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 15_000;
const SILENCE_MS = 6_000;

export class Channel {
  #path;
  #listener;
  #socket = null;
  #retryMs = FIRST_RETRY_MS;
  #timer = 0;
  #closed = false;

  // listener: { opened(), received(message), lost() }
  constructor(path, listener) {
    this.#path = path;
    this.#listener = listener;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.#path}`);
    this.#socket = socket;
    this.#watch();
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      this.#retryMs = FIRST_RETRY_MS;
      this.#listener.opened();
    });
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket || this.#closed) return;
      this.#watch();
      this.#listener.received(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#retry();
    });
  }

  #watch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), SILENCE_MS);
  }

  #retry() {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const dead = this.#socket;
    this.#socket = null;
    dead?.close();
    this.#listener.lost();
    // A random delay, so that not all pages reconnect at once when a server comes back.
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs * (0.7 + 0.6 * Math.random()));
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }
}
