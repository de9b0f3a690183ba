// UTF-8. QuickJS has no TextEncoder and no TextDecoder, so there it is done by hand.
export const encode = globalThis.TextEncoder
  ? (text) => new TextEncoder().encode(text)
  : (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0));

export const decode = globalThis.TextDecoder ? (bytes) => new TextDecoder().decode(bytes) : decodeByHand;

// What is not UTF-8 is read as Latin-1.
function decodeByHand(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  try {
    return decodeURIComponent(escape(text));
  } catch {
    return text;
  }
}
