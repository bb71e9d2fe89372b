import { relative } from 'node:path';

/** Lists by name, at the very end, the tests that could not run here: they count as skipped, never as passed. */
export default class SkippedReporter {
  constructor(settings) {
    this.settings = settings;
  }

  onRunComplete(_contexts, { testResults }) {
    // Whoever asks for some tests by name knows that the others are left out.
    if (this.settings.testNamePattern) return;
    const skipped = testResults.flatMap(({ testFilePath, testResults: tests }) =>
      tests
        .filter(({ status }) => status === 'pending' || status === 'todo')
        .map(({ fullName }) => `  ${relative(this.settings.rootDir, testFilePath)}: ${fullName}`),
    );
    if (skipped.length === 0) return;
    process.stderr.write(`\nSkipped, because this machine lacks what they need:\n${skipped.join('\n')}\n`);
  }
}
