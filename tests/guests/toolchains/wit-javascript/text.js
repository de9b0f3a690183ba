// UTF-8. QuickJS has no TextEncoder and no TextDecoder, so there it is done by hand: in pieces, and without the detour
// over escapes where there is nothing to escape, since a body of a megabyte would take most of a callback's time.
export const encode = globalThis.TextEncoder ? (text) => new TextEncoder().encode(text) : encodeByHand;
export const decode = globalThis.TextDecoder ? (bytes) => new TextDecoder().decode(bytes) : decodeByHand;

const PIECE = 8192;

const isAscii = (text) => /^[\0-\x7f]*$/.test(text);

function encodeByHand(text) {
  const latin = isAscii(text) ? text : unescape(encodeURIComponent(text));
  const size = latin.length;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = latin.charCodeAt(i);
  return bytes;
}

// What is not UTF-8 is read as Latin-1.
function decodeByHand(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE));
  }
  if (isAscii(text)) return text;
  try {
    return decodeURIComponent(escape(text));
  } catch {
    return text;
  }
}
