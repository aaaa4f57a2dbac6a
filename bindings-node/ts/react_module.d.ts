// The part of React's types that `react.ts` needs: the package has no dependency.

declare module 'react' {
  export function useEffect(effect: () => (() => void) | undefined, inputs: readonly unknown[]): void
  export function useRef<T>(initial: T): { current: T }
}
