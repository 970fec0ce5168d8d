/** Tests read a file of another folder as text. */
declare module "*?raw" {
  const text: string;
  export default text;
}
