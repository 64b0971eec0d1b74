import { Migration } from '@mikro-orm/migrations';

export class Migration20261130184256_keep_accents_in_text_matches extends Migration {
  override name = 'Migration20261130184256_keep_accents_in_text_matches';

  override up(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION search_fragment(text, tsquery, options text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$ declare original text := left(normalize($1, nfc), 20000); folded text := translate(search_fold(original), e'\\x01\\x02\\x03', '   '); spaced text := regexp_replace(folded, '([\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff])', e'\\x03\\\\1\\x03', 'g'); marked text := ts_headline(coalesce((select language from search_settings), 'english')::regconfig, spaced, $2, e'StartSel=\\x01, StopSel=\\x02, ' || $3); start int := position(translate(marked, e'\\x01\\x02', '') in spaced); letters text[]; place int; first int; size int; piece text; number int; escaped text; fragment text := ''; begin if marked is null or position(e'\\x01' in marked) = 0 then return null; end if; if start = 0 then start := 1; original := translate(marked, e'\\x01\\x02\\x03', ''); folded := original; end if; if length(original) <> length(folded) then letters := array(select letter[1] from regexp_matches(original, '[^\\u0300-\\u036f][\\u0300-\\u036f]*', 'g') as letter); if cardinality(letters) <> length(folded) then letters := null; original := folded; end if; end if; first := length(replace(left(spaced, start - 1), e'\\x03', '')); place := first; for piece, number in select * from regexp_split_to_table(marked, e'[\\x01\\x02]') with ordinality loop size := length(replace(piece, e'\\x03', '')); place := place + size; piece := case when letters is null then substr(original, place - size + 1, size) else array_to_string(letters[place - size + 1:place], '') end; escaped := replace(replace(replace(replace(replace(piece, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'); fragment := fragment || case when number % 2 = 0 then '<mark>' || escaped || '</mark>' else escaped end; end loop; return case when first > 0 then '…' else '' end || regexp_replace(replace(fragment, '</mark><mark>', ''), '\\s+', ' ', 'g') || case when place < length(folded) then '…' else '' end; end; $function$;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION search_fragment(text, tsquery, options text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$ declare original text := left(normalize($1, nfc), 20000); folded text := translate(search_fold(original), e'\\x01\\x02\\x03', '   '); spaced text := regexp_replace(folded, '([\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff])', e'\\x03\\\\1\\x03', 'g'); marked text := ts_headline(coalesce((select language from search_settings), 'english')::regconfig, spaced, $2, e'StartSel=\\x01, StopSel=\\x02, ' || $3); before text := left(spaced, position(translate(marked, e'\\x01\\x02', '') in spaced) - 1); place int := length(replace(before, e'\\x03', '')); first int := place; piece text; number int; escaped text; fragment text := ''; begin if marked is null or position(e'\\x01' in marked) = 0 then return null; end if; if length(original) <> length(folded) then original := folded; end if; for piece, number in select * from regexp_split_to_table(marked, e'[\\x01\\x02]') with ordinality loop piece := substr(original, place + 1, length(replace(piece, e'\\x03', ''))); place := place + length(piece); escaped := replace(replace(replace(replace(replace(piece, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'); fragment := fragment || case when number % 2 = 0 then '<mark>' || escaped || '</mark>' else escaped end; end loop; return case when first > 0 then '…' else '' end || regexp_replace(replace(fragment, '</mark><mark>', ''), '\\s+', ' ', 'g') || case when place < length(original) then '…' else '' end; end; $function$;`);
  }
}
