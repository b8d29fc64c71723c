/** First free address behind the module's own tables, aligned to 16. Lower addresses are the module's own. */
export function heap_base(): u32 {
  return <u32>((__heap_base + 15) & ~15);
}
