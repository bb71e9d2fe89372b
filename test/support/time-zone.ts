/** Puts this process into a time zone; the answer puts it back. */
export function inTimeZone(timeZone: string): () => void {
  // eslint-disable-next-line no-restricted-properties -- Node takes the zone of its clock from there
  const environment = process.env;
  const before = environment['TZ'];
  environment['TZ'] = timeZone;
  return () => {
    if (before === undefined) delete environment['TZ'];
    else environment['TZ'] = before;
  };
}
