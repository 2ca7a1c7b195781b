/** Tells a page that its session has ended although the page asks for nothing: the gateway then closes a socket. */

const PROTOCOL = "graphql-transport-ws";
/** Close codes: the session has ended, or there was none when the socket began. */
const ENDED: readonly number[] = [4401, 4403];
/** Longest wait in milliseconds before a lost socket is opened again. */
const LONGEST_WAIT = 60_000;

/** Watches until the session ends or the function that is returned is called. */
export function watchSession(onEnd: () => void): () => void {
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let socket: WebSocket;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lost = 0;
  const open = () => {
    socket = new WebSocket(address, PROTOCOL);
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init" }));
    socket.onmessage = () => {
      lost = 0;
    };
    socket.onclose = ({ code }) => {
      if (ENDED.includes(code)) return onEnd();
      timer = setTimeout(open, Math.min(LONGEST_WAIT, 1000 * 2 ** lost));
      lost += 1;
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    socket.onclose = null;
    socket.close();
  };
}
