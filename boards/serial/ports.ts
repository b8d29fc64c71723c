/** The serial ports that are there, with what their adapters say of themselves. */
import { type Binding, realBinding } from './binding.ts';

export interface FoundPort {
  path: string;
  vendor: string | null;
  product: string | null;
  maker: string | null;
  serial: string | null;
}

/** Control characters in a descriptor are not for a terminal. */
const clean = (text: string | undefined): string | null => {
  // oxlint-disable-next-line no-control-regex
  const shown = text?.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?').trim();
  return shown === undefined || shown === '' ? null : shown;
};

export async function listPorts(binding?: Binding): Promise<FoundPort[]> {
  const found = await (binding ?? (await realBinding())).list();
  return found
    .map(({ path, vendorId, productId, manufacturer, serialNumber }) => ({
      path,
      vendor: clean(vendorId),
      product: clean(productId),
      maker: clean(manufacturer),
      serial: clean(serialNumber),
    }))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}
