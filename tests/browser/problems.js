// What is wrong with a page as it is shown, one line each. Elements that are not shown are left out.
({ font, contrast }) => {
  const found = [];
  const box = (element) => element.getBoundingClientRect();
  const shown = (element) => element.checkVisibility() && box(element).width > 1 && box(element).height > 1;
  const name = (element) => `<${element.localName}> "${element.textContent.trim().slice(0, 30)}"`;
  const scrolls = (element) => {
    for (let up = element; up; up = up.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
    return false;
  };
  // Colors are compared as WCAG 2 says; a canvas turns every notation into bytes.
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const bytes = (color) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map((byte) => ((byte /= 255) <= 0.04045 ? byte / 12.92 : ((byte + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const color = bytes(getComputedStyle(up).backgroundColor);
      if (color[3] === 255) return color;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 255] : [255, 255, 255, 255];
  };
  if (document.scrollingElement.scrollWidth > innerWidth) found.push(`page ${document.scrollingElement.scrollWidth} wide`);
  for (const element of document.body.querySelectorAll("*")) {
    if (!shown(element)) continue;
    if (box(element).right > innerWidth + 1 && !scrolls(element)) found.push(`${name(element)} sticks out`);
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || ["style", "script", "title"].includes(element.localName)) continue;
    const style = getComputedStyle(element);
    const matrix = element.getScreenCTM?.();
    const scale = matrix ? Math.hypot(matrix.a, matrix.b) : 1;
    const size = parseFloat(style.fontSize) * scale;
    if (size < font - 0.01) found.push(`${name(element)} has ${size.toFixed(1)} px`);
    const ink = bytes(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [one, two] = [light(ink.slice(0, 3)), light(behind(element).slice(0, 3))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < contrast && !element.closest(":disabled")) found.push(`${name(element)} has contrast ${ratio.toFixed(2)}`);
  }
  for (const picture of document.querySelectorAll("svg, img, canvas")) {
    const frame = picture.closest("figure");
    if ((!frame || shown(frame)) && picture.checkVisibility() && !shown(picture)) found.push(`empty ${picture.localName}`);
  }
  return found;
}
