// A reporter whose only line says how many tests passed and how many did not; what did not run has not passed.
import type { FullResult, Reporter, Suite } from '@playwright/test/reporter';

export default class ClosingLine implements Reporter {
  private suite: Suite | undefined;
  private errors = 0;

  onBegin(_config: unknown, suite: Suite): void {
    this.suite = suite;
  }

  onError(): void {
    this.errors += 1;
  }

  onEnd(result: FullResult): void {
    const tests = this.suite?.allTests() ?? [];
    const listing = result.status === 'passed' && tests.every((test) => test.results.length === 0);
    if (listing) return;
    const passed = tests.filter((test) => test.outcome() === 'expected' && test.results.length > 0).length;
    const failed = Math.max(tests.length - passed + this.errors, result.status === 'passed' ? 0 : 1);
    console.log(`\n${passed} passed, ${failed} failed`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
