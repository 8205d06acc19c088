/** Whatever goes wrong in here must not go wrong in the page around it. */
export function guard<Arguments extends unknown[], Result>(work: (...given: Arguments) => Result): (...given: Arguments) => Result | undefined {
  return (...given) => {
    try {
      return work(...given);
    } catch (error) {
      report(error);
    }
  };
}

export const report = (error: unknown): void => console.warn('OKLA:', error);
