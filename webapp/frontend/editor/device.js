// What the server has not kept is kept by the device, of each person apart and for seven days (keep.js sweeps it).
const person = document.querySelector('meta[name="person"]')?.content ?? '';
const key = `typed ${person} ${location.pathname} draft`;

export function keepHere(xml) {
  try {
    localStorage.setItem(key, JSON.stringify({ xml, at: Date.now() }));
  } catch {
    // a browser that keeps nothing, or is full: the page itself still holds it
  }
}

export function keptHere() {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

export const forgetHere = () => localStorage.removeItem(key);
