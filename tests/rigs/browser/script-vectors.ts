/**
 * Markdown that would run a script, were it rendered carelessly: every kind of script in every place of the syntax, written in
 * several spellings. A script that runs sets `hasRun`.
 */
export function scriptVectors(): string[] {
  return [
    ...PLACES.flatMap((place) => [...HTML, ...SPELLINGS.flatMap((spell) => ADDRESSES.map(spell))].map(place)),
    ...BREAKOUTS,
  ];
}

const RUN = 'window.hasRun=1';

/** Elements that run a script by themselves, when something happens, or when they are parsed for a second time. */
const HTML = [
  `<script>${RUN}</script>`,
  `<ScRiPt >${RUN}</sCrIpT >`,
  `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `<img src=x onerror=${RUN}>`,
  `<img/src='x'/onerror='${RUN}'>`,
  `<svg onload=${RUN}>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><style><img src=x onerror=${RUN}></style></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=${RUN}&gt;">`,
  `<math><mtext></form><form><mglyph><style></math><img src onerror=${RUN}>`,
  `<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=${RUN} src>">`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<template><img src=x onerror=${RUN}></template>`,
  `<select><template><img src=x onerror=${RUN}></template></select>`,
  `<textarea><img title="</textarea><img src=x onerror=${RUN}>"></textarea>`,
  `<title><a title="</title><img src=x onerror=${RUN}>">`,
  `<xmp><p title="</xmp><svg/onload=${RUN}>">`,
  `<iframe srcdoc="<script>parent.hasRun=1</script>"></iframe>`,
  `<iframe src="javascript:parent.hasRun=1"></iframe>`,
  `<object data="javascript:${RUN}"></object>`,
  `<embed src="javascript:${RUN}">`,
  `<details open ontoggle=${RUN}>`,
  `<input autofocus onfocus=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src=x onerror=${RUN}>`,
  `<body onload=${RUN}>`,
  `<marquee onstart=${RUN}>x</marquee>`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<base href="javascript:${RUN}//">`,
  `<link rel=stylesheet href="data:text/css,*{}" onload=${RUN}>`,
  `<style onload=${RUN}></style>`,
  `<a href="javascript:${RUN}">a</a>`,
  `<p style="animation-name:x" onanimationstart=${RUN}>a</p>`,
  `<!--><img src=x onerror=${RUN}>-->`,
  `<![CDATA[><img src=x onerror=${RUN}>]]>`,
  `<?xml ><img src=x onerror=${RUN}>`,
  `&lt;img src=x onerror=${RUN}&gt;`,
  `&#60;img src=x onerror=${RUN}&#62;`,
];

const ADDRESSES = [
  `javascript:${RUN}`,
  `vbscript:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  `data:image/svg+xml,<svg onload=${RUN}>`,
  `javascript://a.example/%0a${RUN}`,
  `blob:javascript:${RUN}`,
];

const SPELLINGS: ((address: string) => string)[] = [
  (address) => address,
  (address) => address.toUpperCase().replace(RUN.toUpperCase(), RUN),
  (address) => address.replace(':', '&colon;'),
  (address) => address.replace(':', '&#x3a;'),
  (address) => address.replace('a', '&#97;'),
  (address) => address.replace('s', '&Tab;s'),
  (address) => address.replace('s', '&NewLine;s'),
  (address) => address.replace('s', '&#9;s'),
  (address) => `&#1;${address}`,
  (address) => `\u00a0${address}`,
  (address) => address.replace(':', '%3a'),
  (address) => address.replace(':', '\\:'),
];

const PLACES: ((text: string) => string)[] = [
  (text) => text,
  (text) => `[a](${text})`,
  (text) => `[a](<${text}>)`,
  (text) => `![a](${text})`,
  (text) => `[![a](https://a.example/b.png)](${text})`,
  (text) => `<${text}>`,
  (text) => `[a][b]\n\n[b]: ${text}`,
  (text) => `[a](https://a.example "${text}")`,
  (text) => `![${text}](https://a.example/b.png)`,
  (text) => `# ${text}`,
  (text) => `- [x] ${text}`,
  (text) => `| ${text} |\n| - |\n| ${text} |`,
  (text) => `\`\`\`${text}\n${text}\n\`\`\``,
  (text) => `a[^1]\n\n[^1]: ${text}`,
  (text) => `a[^${text}]\n\n[^${text}]: b`,
];

/** Attributes and elements that a text would have to leave. */
const BREAKOUTS = [
  `[a](https://a.example"onmouseover="${RUN})`,
  `[a](https://a.example'onmouseover='${RUN})`,
  `[a](https://a.example "b\\" onmouseover=\\"${RUN}")`,
  `[a](https://a.example 'b" onmouseover="${RUN}')`,
  `![a" onerror="${RUN}](https://a.example/b.png)`,
  `![a](https://a.example/b.png"onerror="${RUN})`,
  `![a](https://a.example/b.png 'c" onerror="${RUN}')`,
  `\`\`\`js" onmouseover="${RUN}\na\n\`\`\``,
  `\`\`\`"><img src=x onerror=${RUN}>\na\n\`\`\``,
  `https://a.example/"onmouseover="${RUN}`,
  `https://a.example/'><img src=x onerror=${RUN}>`,
  `www.a.example/"onmouseover=${RUN}//`,
  `a"onmouseover=${RUN}@b.example`,
  `[a]: https://a.example "b\\"><img src=x onerror=${RUN}>"\n\n[a]`,
  `[x](javascript:${RUN}\n)`,
  `[x]( javascript:${RUN})`,
  `[x](java\nscript:${RUN})`,
  `[x](\\javascript:${RUN})`,
  `[x](javascript\n:${RUN})`,
  `<javascript:${RUN}>`,
  `<javascript:${RUN}@a.example>`,
  `[x](//a.example/javascript:${RUN})`,
  `[__proto__](javascript:${RUN})`,
  `[x][constructor]\n\n[constructor]: javascript:${RUN}`,
];
