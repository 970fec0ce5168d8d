/** Does the same for each, a few at a time; the results stand in the order of what was given. The first failure ends it. */
export async function sideBySide<In, Out>(items: readonly In[], atOnce: number, action: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  const waiting = items.entries();
  let isOver = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (isOver) return;
      try {
        results[index] = await action(item);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
