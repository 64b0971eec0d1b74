/** Letters of scripts that put no spaces between words: kana, Han characters and Hangul. For a class of a regular expression. */
export const CJK =
  '\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff';
