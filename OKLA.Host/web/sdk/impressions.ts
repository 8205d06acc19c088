import { guard } from './guard';
import { inSight } from './sight';

const attribute = 'data-okla-item';
const selector = `[${attribute}]`;
const shortest = 1000;

/** At least so many milliseconds between two looks, so that what is scrolled past goes together. */
const together = 250;

/** Watches elements with `data-okla-item`: told are those that were at least half in sight for a second, by list, once a page view. */
export function impressions(tell: (list: string, itemIds: string[], positions: number[]) => void) {
  const shown = new Map<Element, number>();
  const told = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = guard(() => {
    timer = undefined;
    const now = performance.now();
    const lists: Record<string, [string[], number[]]> = {};
    for (const [element, since] of shown) {
      if (!inSight()) shown.set(element, now);
      else if (now - since >= shortest) {
        shown.delete(element);
        const around = element.closest('[data-okla-list]');
        const list = around?.getAttribute('data-okla-list') || 'page';
        const item = element.getAttribute(attribute)!;
        const name = list + ' ' + item;
        if (told.has(name)) continue;
        told.add(name);
        const [items, positions] = (lists[list] ??= [[], []]);
        items.push(item);
        positions.push(Number(element.getAttribute('data-okla-position') ?? [...(around ?? document).querySelectorAll(selector)].indexOf(element)));
      }
    }
    for (const list in lists) tell(list, ...lists[list]!);
    wait(together);
  });

  const wait = (least: number) => {
    if (shown.size === 0) return;
    const oldest = Math.min(...shown.values());
    timer ??= setTimeout(look, Math.max(least, shortest - performance.now() + oldest));
  };

  const observer = new IntersectionObserver(
    guard((entries: IntersectionObserverEntry[]) => {
      for (const { target, isIntersecting, intersectionRatio, intersectionRect } of entries) {
        // What is taller than two windows can never be half in sight.
        if (!isIntersecting || (intersectionRatio < 0.5 && intersectionRect.height < innerHeight / 2)) shown.delete(target);
        else if (!shown.has(target)) shown.set(target, performance.now());
      }
      wait(0);
    }),
    { threshold: [0, 0.2, 0.5] },
  );

  const watch = () => document.querySelectorAll(selector).forEach((element) => observer.observe(element));
  let planned = false;
  const changes = new MutationObserver(() => {
    if (planned) return;
    planned = true;
    setTimeout(
      guard(() => {
        planned = false;
        watch();
      }),
      together,
    );
  });
  changes.observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: [attribute] });

  return {
    /** A new page view: what is in sight counts again. */
    again(): void {
      observer.disconnect();
      shown.clear();
      told.clear();
      watch();
    },
  };
}
