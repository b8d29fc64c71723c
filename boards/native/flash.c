/*
 * The board's flash: SPI NOR at the first SPI of the microcontroller.
 * [SPI] Microchip UG0331 SmartFusion2 Microcontroller Subsystem, 13; [NOR] Infineon S25FL128S data sheet, 9
 */
#include "board.h"

static volatile struct {
  u32 control, frame_bits, status, clear, received, transmit;
} *const spi = (void *)0x40001000;
/* Of spi->control: deep FIFO, selected until all frames have gone, master; on; bit from which on frames are counted */
enum { MODE = 1 << 29 | 1 << 26 | 2, ON = 1, FRAMES = 8 };
/* Of spi->status: nothing received. */
enum { EMPTY = 0x40 };
enum { PROGRAM = 0x02, READ = 0x03, STATUS = 0x05, WRITE_ENABLE = 0x06, CLEAR_STATUS = 0x30, ERASE = 0xd8 };
/* Of the flash's status: at work; programming or erasing failed. */
enum { BUSY = 1, FAILED = 0x60 };
enum { PAGE_BYTES = 256, SECTOR_BYTES = 65536, TRANSFER_BYTES = 32768 };

/* A command, its address where it has one, then bytes out or in. */
static void transfer(u32 command, u32 head, u32 at, const uint8_t *out, uint8_t *in, u32 bytes) {
  spi->frame_bits = 8;
  spi->control = MODE | (head + bytes) << FRAMES;
  spi->control |= ON;
  for (u32 i = 0; i < head + bytes; i++) {
    spi->transmit = i == 0 ? command : i < head ? at >> (8 * (3 - i)) & 0xff : out ? out[i - head] : 0;
    while (spi->status & EMPTY) {}
    uint8_t byte = (uint8_t)spi->received;
    if (in && i >= head) in[i - head] = byte;
  }
  spi->control = MODE;
}

void flash_read(u32 at, void *to, u32 bytes) {
  for (u32 done = 0, part; done < bytes; done += part) {
    part = bytes - done < TRANSFER_BYTES ? bytes - done : TRANSFER_BYTES;
    transfer(READ, 4, at + done, 0, (uint8_t *)to + done, part);
  }
}

/* True when it could not be done. */
static bool change(u32 command, u32 at, const uint8_t *out, u32 bytes) {
  uint8_t status = BUSY;
  transfer(WRITE_ENABLE, 1, 0, 0, 0, 0);
  transfer(command, 4, at, out, 0, bytes);
  while (status & BUSY) transfer(STATUS, 1, 0, 0, &status, 1);
  if (status & FAILED) transfer(CLEAR_STATUS, 1, 0, 0, 0, 0);
  return status & FAILED;
}

bool flash_write(u32 at, const void *from, u32 bytes) {
  bool failed = false;
  for (u32 done = 0, part; done < bytes && !failed; done += part) {
    u32 room = PAGE_BYTES - (at + done) % PAGE_BYTES;
    part = bytes - done < room ? bytes - done : room;
    failed = change(PROGRAM, at + done, (const uint8_t *)from + done, part);
  }
  return failed;
}

bool flash_erase(u32 at, u32 bytes) {
  bool failed = false;
  for (u32 done = 0; done < bytes && !failed; done += SECTOR_BYTES) failed = change(ERASE, at + done, 0, 0);
  return failed;
}
