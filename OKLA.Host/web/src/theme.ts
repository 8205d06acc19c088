import { useState, useSyncExternalStore } from 'react';
import { write } from '../sdk/storage';

export type Theme = 'light' | 'dark';

const dark = window.matchMedia('(prefers-color-scheme: dark)');

const subscribe = (listener: () => void) => {
  dark.addEventListener('change', listener);
  return () => dark.removeEventListener('change', listener);
};

/** The theme in sight, and how to take the other one; until somebody does, the system decides (see public/theme.js). */
export function useTheme(): [Theme, () => void] {
  const system: Theme = useSyncExternalStore(subscribe, () => dark.matches) ? 'dark' : 'light';
  const [chosen, choose] = useState(document.documentElement.dataset.theme as Theme | undefined);
  const theme = chosen ?? system;
  const toggle = () => {
    const other = theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = other;
    write('okla.theme', other);
    choose(other);
  };
  return [theme, toggle];
}
