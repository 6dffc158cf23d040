/** In another order each round, forwards and backwards: nobody always comes after the same one. */
export function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = Math.floor(round / 2) % items.length;
  const turned = [...items.slice(first), ...items.slice(0, first)];
  return round % 2 === 0 ? turned : turned.reverse();
}
