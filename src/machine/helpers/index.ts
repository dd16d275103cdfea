/** All helpers, each with a number that is the same in the build's image and in the program. */
import { cpuHelpers } from './cpuid.ts';
import { exactSseHelpers } from './exact-sse.ts';
import { fmaHelpers } from './fma.ts';
import { fxsaveHelpers } from './fxsave.ts';
import { integerHelpers } from './integer.ts';
import { maskedHelpers } from './masked.ts';
import { mxcsrHelpers } from './mxcsr.ts';
import { SSE_HELPERS } from './sse.ts';
import { stringHelpers } from './strings.ts';
import type { Helper, HelperTable } from './types.ts';
import { x87ArithmeticHelpers } from './x87-arithmetic.ts';
import { x87ControlHelpers } from './x87-control.ts';
import { x87TranscendentalHelpers } from './x87-transcendental.ts';
import { x87TransferHelpers } from './x87-transfer.ts';

export const helpers: HelperTable = {
  ...cpuHelpers,
  ...exactSseHelpers,
  ...fmaHelpers,
  ...fxsaveHelpers,
  ...integerHelpers,
  ...maskedHelpers,
  ...mxcsrHelpers,
  ...stringHelpers,
  ...SSE_HELPERS,
  ...x87ArithmeticHelpers,
  ...x87ControlHelpers,
  ...x87TranscendentalHelpers,
  ...x87TransferHelpers,
};

const names = Object.keys(helpers).sort();

export const helperNumbers: ReadonlyMap<string, number> = new Map(names.map((name, number) => [name, number]));
export const helperList: readonly (Helper | undefined)[] = names.map((name) => helpers[name]);
