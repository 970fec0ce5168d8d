/** A short message at the foot of the screen. The library behind it loads with the first message. */
export interface ToastOptions {
  undo?: () => void;
}

export function toast(message: string, options: ToastOptions = {}): void {
  void import("./toaster.tsx").then(({ showToast }) => showToast(message, options));
}
