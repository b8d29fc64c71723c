/*
 * The board's flash: SPI NOR at the first SPI of the microcontroller.
 * [SPI] Microchip UG0331 SmartFusion2 Microcontroller Subsystem, 13; [NOR] Infineon S25FL128S data sheet, 9
 */
#include "board.h"

#define SPI 0x40001000u
#define CONTROL REGISTER(SPI + 0x00)
#define FRAME_BITS REGISTER(SPI + 0x04)
#define STATUS REGISTER(SPI + 0x08)
#define RECEIVED REGISTER(SPI + 0x10)
#define TRANSMIT REGISTER(SPI + 0x14)
#define ENABLE 1u
#define MODE ((1u << 29) | (1u << 26) | 2u) /* of CONTROL: deep FIFO, selected until all frames have gone, master */
#define FRAMES 8                            /* of CONTROL: how many, from this bit on */
#define EMPTY 0x40u                         /* of STATUS: nothing received */

#define READ 0x03
#define WRITE_ENABLE 0x06
#define PAGE_PROGRAM 0x02
#define SECTOR_ERASE 0xd8
#define READ_STATUS 0x05
#define CLEAR_STATUS 0x30
#define BUSY 0x01
#define FAILED 0x60 /* programming, erasing */
#define PAGE_BYTES 256u
#define SECTOR_BYTES 65536u
#define TRANSFER_BYTES 32768u

/* A command, its address where it has one, then bytes out or in. */
static void transfer(u32 command, u32 head, u32 at, const uint8_t *out, uint8_t *in, u32 bytes) {
  FRAME_BITS = 8;
  CONTROL = MODE | (head + bytes) << FRAMES;
  CONTROL = MODE | (head + bytes) << FRAMES | ENABLE;
  for (u32 i = 0; i < head + bytes; i++) {
    TRANSMIT = i == 0 ? command : i < head ? at >> (8 * (3 - i)) & 0xff : out ? out[i - head] : 0;
    while (STATUS & EMPTY) {}
    uint8_t byte = (uint8_t)RECEIVED;
    if (in && i >= head) in[i - head] = byte;
  }
  CONTROL = MODE;
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
  while (status & BUSY) transfer(READ_STATUS, 1, 0, 0, &status, 1);
  if (status & FAILED) transfer(CLEAR_STATUS, 1, 0, 0, 0, 0);
  return status & FAILED;
}

bool flash_write(u32 at, const void *from, u32 bytes) {
  bool failed = false;
  for (u32 done = 0, part; done < bytes && !failed; done += part) {
    u32 room = PAGE_BYTES - (at + done) % PAGE_BYTES;
    part = bytes - done < room ? bytes - done : room;
    failed = change(PAGE_PROGRAM, at + done, (const uint8_t *)from + done, part);
  }
  return failed;
}

bool flash_erase(u32 at, u32 bytes) {
  bool failed = false;
  for (u32 done = 0; done < bytes && !failed; done += SECTOR_BYTES) failed = change(SECTOR_ERASE, at + done, 0, 0);
  return failed;
}
