/** Four letters and seven digits; whether the last one is right is another question. */
export const containerNumber = /^[A-Z]{4}\d{7}$/;

/**
 * The last digit that ISO 6346 gives the number, from its first ten characters. Letters count from 10 and leave out the
 * multiples of 11.
 */
export function containerCheckDigit(number: string): number {
  if (!/^[A-Z]{4}\d{6}/.test(number)) throw new RangeError(`${number} is not a container number`);
  let sum = 0;
  for (let place = 0; place < 10; place++) sum += characterValue(number.charAt(place)) * 2 ** place;
  return (sum % 11) % 10;
}

/** Whether the check digit is right. A wrong one is worth a warning only: such numbers are painted on real containers. */
export function hasRightCheckDigit(number: string): boolean {
  return containerNumber.test(number) && containerCheckDigit(number) === Number(number.slice(10));
}

function characterValue(character: string): number {
  if (/\d/.test(character)) return Number(character);
  const letter = character.charCodeAt(0) - 'A'.charCodeAt(0);
  return 10 + letter + Math.floor((letter + 9) / 10);
}
