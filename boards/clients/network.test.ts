import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock } from '../clock.ts';
import { FrontEndPort, type Request } from '../emulated/port.ts';
import { Network } from './network.ts';

const test = suite('network of the clients');
const LATENCY = 100;

function made(): {
  clock: Clock;
  network: Network;
  ports: FrontEndPort[];
  arrived: { board: number; at: number; request: Request }[];
  answers: { status: number; good: boolean; board: number; at: number }[];
  send: (volume?: number, accepts?: (data: Uint8Array | null) => boolean) => void;
} {
  const clock = new Clock();
  const ports = [new FrontEndPort(), new FrontEndPort()];
  const arrived: { board: number; at: number; request: Request }[] = [];
  const answers: { status: number; good: boolean; board: number; at: number }[] = [];
  ports.forEach((port, board) => {
    port.place = (request) => arrived.push({ board, at: clock.now, request }) > 0;
  });
  const network = new Network(clock, LATENCY, ports);
  return {
    clock,
    network,
    ports,
    arrived,
    answers,
    send: (volume = 0, accepts = () => true) =>
      network.send({
        volume,
        cdb: Uint8Array.of(0x88),
        data: null,
        accepts,
        answered: (status, good, board) => answers.push({ status, good, board, at: clock.now }),
      }),
  };
}

test('a volume is nobody’s until a board claims it; the number of claims tells that it moved', () => {
  const { network, ports } = made();
  assert.equal([network.owner(3), network.claims(3)], [null, 0]);
  ports[1]!.onClaim(3, true);
  assert.equal([network.owner(3), network.claims(3)], [1, 1]);
  ports[0]!.onClaim(3, true);
  assert.equal([network.owner(3), network.claims(3)], [0, 2]);
  assert.equal([network.owner(2), network.claims(2)], [null, 0]);
});

test('a board that lets go of an address that another has claimed since does not take it from that one', () => {
  const { network, ports } = made();
  ports[0]!.onClaim(0, true);
  ports[1]!.onClaim(0, true);
  ports[0]!.onClaim(0, false);
  assert.is(network.owner(0), 1);
  ports[1]!.onClaim(0, false);
  assert.is(network.owner(0), null);
  assert.is(network.claims(0), 2);
});

test('a request reaches the owner of its address after the latency, and the answer the client after another', () => {
  const { clock, ports, arrived, answers, send } = made();
  ports[1]!.onClaim(0, true);
  send();
  clock.runUntil(LATENCY);
  assert.equal(
    arrived.map(({ board, at }) => [board, at]),
    [[1, LATENCY]],
  );
  arrived[0]!.request.reply(0, 0, null);
  clock.runUntil(1000);
  assert.equal(answers, [{ status: 0, good: true, board: 1, at: 2 * LATENCY }]);
});

test('a request to nobody’s address is lost without a word', () => {
  const { clock, arrived, send } = made();
  send();
  clock.runUntil(1e9);
  assert.equal(arrived, []);
  assert.is(clock.next, Infinity);
});

test('a request on its way goes to the board that had the address when it was sent', () => {
  const { clock, ports, arrived, send } = made();
  ports[0]!.onClaim(0, true);
  send();
  ports[1]!.onClaim(0, true);
  clock.runUntil(1000);
  assert.equal(
    arrived.map(({ board }) => board),
    [0],
  );
});

test('the data of an answer is judged as it leaves the board: what RAM becomes after that does not matter', () => {
  const { clock, ports, arrived, answers, send } = made();
  ports[0]!.onClaim(0, true);
  const data = Uint8Array.of(1, 2, 3);
  send(0, (got) => got?.[0] === 1);
  send(0, (got) => got?.[0] === 9);
  clock.runUntil(LATENCY);
  for (const { request } of arrived) request.reply(0, 0, data);
  data.fill(9);
  clock.runUntil(1000);
  assert.equal(
    answers.map(({ good }) => good),
    [true, false],
  );
});

test('a refusal is not good, whatever comes with it, and the observer hears every answer', () => {
  const { clock, network, ports, arrived, answers, send } = made();
  const told: [number, number, number][] = [];
  network.onAnswer = (board, volume, status) => told.push([board, volume, status]);
  ports[0]!.onClaim(5, true);
  send(5);
  clock.runUntil(LATENCY);
  arrived[0]!.request.reply(2, 0x020400, null);
  clock.runUntil(1000);
  assert.equal([answers[0]!.status, answers[0]!.good], [2, false]);
  assert.equal(told, [[0, 5, 2]]);
});

test.run();
