/** The mark: a prompt in a rounded square. */
export function BrandMark() {
  return (
    <svg aria-hidden viewBox="0 0 20 20" className="size-5 flex-none">
      <rect width="20" height="20" rx="5" className="fill-ink" />
      <path
        d="m6 7 3 3-3 3M10.5 13.2H14"
        fill="none"
        className="stroke-on-ink"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
