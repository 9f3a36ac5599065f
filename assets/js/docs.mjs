// The page /docs: its lines of curl ask the address that the page itself was loaded from.

const { address } = document.body.dataset;
const ours = location.protocol === "http:" ? location.host : location.origin;

for (const line of document.querySelectorAll("pre")) {
  line.textContent = line.textContent.replace(`${address}/`, () => `${ours}/`);
}
