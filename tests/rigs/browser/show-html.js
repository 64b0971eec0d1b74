/**
 * Runs in the page. Shows each text as innerHTML, as the innerHTML of that, and as a document of its own; does with its elements
 * what a reader could; and returns the indexes of those that set `hasRun`.
 */
globalThis.scriptsOf = async (texts) => {
  const found = [];
  for (const [index, text] of texts.entries()) {
    const [once, twice, frame] = ['div', 'div', 'iframe'].map((tag) => document.createElement(tag));
    document.body.append(once, twice, frame);
    once.innerHTML = text;
    twice.innerHTML = once.innerHTML;
    frame.contentDocument.write(text);
    for (const area of [once, twice, frame.contentDocument]) touchEverything(area);
    await new Promise((done) => setTimeout(done, 2));
    if (globalThis.hasRun || frame.contentWindow?.hasRun) found.push(index);
    delete globalThis.hasRun;
    for (const shown of [once, twice, frame]) shown.remove();
  }
  return found;
};

function touchEverything(area) {
  for (const element of area.querySelectorAll('*')) {
    for (const type of ['mouseover', 'focus', 'toggle']) element.dispatchEvent(new Event(type, { bubbles: true }));
    // Only an address that could run something: any other would leave the page.
    if (/^(javascript|vbscript|data|blob):/.test(element.protocol ?? '')) element.click();
  }
}
