/** A question that is answered from standard input, as Docker asks it. */
export async function confirmed(question: string): Promise<boolean> {
  process.stdout.write(`${question}\nAre you sure you want to continue? [y/N] `);
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return /^y(?:es)?$/i.test(text.split('\n')[0]?.trim() ?? '');
}
