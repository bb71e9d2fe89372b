/** Passwords of twelve characters and more that are tried first by whoever guesses. */
const common = new Set([
  '000000000000',
  '111111111111',
  '121212121212',
  '123123123123',
  '123456123456',
  '1234567891011',
  '123456789012',
  '1234567890123',
  '12345678901234',
  '123456789abc',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  '1qaz2wsx3edc4rfv',
  'abc123abc123',
  'abcd12345678',
  'abcdefghijkl',
  'abcdefghijklm',
  'administrator',
  'administrator1',
  'changeme1234',
  'changemeplease',
  'correcthorsebatterystaple',
  'iloveyou1234',
  'letmein12345',
  'letmeinplease',
  'monkey123456',
  'password1234',
  'password12345',
  'password123456',
  'passwordpassword',
  'qazwsxedcrfv',
  'qwerty123456',
  'qwertyqwerty',
  'qwertyuiop12',
  'qwertyuiop123',
  'qwertyuiopas',
  'qwertyuiopasdf',
  'qwertyuiopasdfghjkl',
  'trustno1trustno1',
  'welcome12345',
  'welcome123456',
  'zxcvbnm12345',
  'zxcvbnmasdfghjkl',
]);

const SHORTEST_PASSWORD = 12;
const LONGEST_PASSWORD = 200;

/**
 * Why a password may not be chosen, or undefined when it may. Length decides (NIST SP 800-63B): no rule asks for digits
 * or signs, because such rules make passwords alike.
 */
export function passwordWeakness(password: string, username: string): string | undefined {
  const length = Array.from(password).length;
  const plain = password.toLowerCase();
  if (length < SHORTEST_PASSWORD) return `It has fewer than ${SHORTEST_PASSWORD} characters.`;
  if (length > LONGEST_PASSWORD) return `It has more than ${LONGEST_PASSWORD} characters.`;
  if (plain.includes(username.toLowerCase())) return 'It contains the username.';
  if (new Set(plain).size < 3) return 'It repeats one or two characters.';
  if (common.has(plain)) return 'It is one of the passwords that are tried first.';
  return undefined;
}
