; The lab's small guest: a whole system, as far as a clock is concerned.
;
; SeaBIOS loads it from a raw IDE disk on QEMU's `pc` machine. It reads its CMOS clock (RTC) by
; itself, makes UTC of it as its kind does, and shows local time by the zone table on its disk.
;
;   utc      takes the RTC for UTC, as most systems do.
;   windows  takes the RTC for local time: UTC = RTC + the bias saved on its disk (minutes, as
;            ActiveTimeBias in Windows' registry). If its zone's bias at that UTC is another one, it
;            saves the new bias and writes the RTC anew, at boot and while it runs. With the universal
;            flag (RealTimeIsUniversal) it takes the RTC for UTC and only saves the bias.
;
; Afterwards its clock moves with the RTC: what lies between the two changes only when its user sets
; the clock, or when a windows guest rewrites the RTC.
;
; Disk: sectors 0-7 this program, 8 the setup (the only one ever written), 9-16 the zone table.
; Console: COM1, lines. "[TAG ]COMMAND" is answered by "[TAG ]ANSWER", the tag being digits:
;
;   boot             what it printed when it booted
;   state            the same for now
;   local TIME       its user sets the clock: TIME is local, as 2026-11-23T19:00:00
;   rtc TIME         writes the RTC and nothing else; its own clock goes on as it was
;   kbc cf9 triple   resets the machine: keyboard controller, port 0xCF9, triple fault
;   off              powers off through ACPI

        bits    16
        cpu     386
        org     0x7c00

PROGRAM_SECTORS equ 8
TABLE_SECTORS   equ 8
SETUP_SECTOR    equ PROGRAM_SECTORS

; Seconds are 64-bit and count from 0000-03-01, the start of the Gregorian 400-year cycle.
DAY             equ 86400
UNIX_EPOCH      equ 719468 * DAY
UNIX_LOW        equ UNIX_EPOCH & 0xffffffff
UNIX_HIGH       equ UNIX_EPOCH >> 32

COM1            equ 0x3f8
PM1_STATUS      equ 0x600               ; where SeaBIOS puts the PIIX4's ACPI registers
PM1_ENABLE      equ 0x602
PM1_CONTROL     equ 0x604
POWER_BUTTON    equ 1 << 8
SOFT_OFF        equ 1 << 13             ; SLP_EN with SLP_TYP 0, which is S5 here
BIOS_TICKS      equ 0x46c

FLAG_WINDOWS    equ 1
FLAG_UNIVERSAL  equ 2
FLAG_DEAF       equ 4

; ---------------------------------------------------------------- boot sector

        jmp     0:begin                 ; some firmware starts us at 07c0:0000

begin:  cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        sti
        cld
        mov     [drive], dl
        call    open_console
        mov     si, rest_of_disk
        mov     dl, [drive]
        mov     ah, 0x42
        int     0x13
        mov     si, says_unreadable
        jc      give_up
        cmp     dword [setup.magic], "GCLK"
        mov     si, says_no_setup
        je      main

give_up:
        call    print
        call    end_line
.rest:  hlt
        jmp     .rest

; The FIFO stays off: switching it on would throw away what was sent to us during the boot.
open_console:
        mov     dx, COM1 + 3
        mov     al, 0x80
        out     dx, al
        mov     dx, COM1
        mov     ax, 1                   ; 115200 baud
        out     dx, ax
        mov     dx, COM1 + 3
        mov     al, 0x03                ; 8 bits, no parity, one stop bit
        out     dx, al
        inc     dx
        mov     al, 0x0b
        out     dx, al
        ret

print:  lodsb
        test    al, al
        jz      .end
        call    print_char
        jmp     print
.end:   ret

end_line:
        mov     al, 13
        call    print_char
        mov     al, 10
print_char:
        push    dx
        push    ax
        mov     dx, COM1 + 5
.busy:  in      al, dx
        test    al, 0x20
        jz      .busy
        pop     ax
        mov     dx, COM1
        out     dx, al
        pop     dx
        ret

says_unreadable db "error the disk cannot be read", 0
says_no_setup   db "error the disk has no setup", 0

        align   4
rest_of_disk:                           ; INT 13h disk address packets
        dw      16, PROGRAM_SECTORS + TABLE_SECTORS
        dw      second_sector, 0
        dq      1
setup_alone:
        dw      16, 1
        dw      setup, 0
        dq      SETUP_SECTOR
drive   db      0

        times   510 - ($ - $$) db 0
        dw      0xaa55

; ---------------------------------------------------------------- life
second_sector:

main:   mov     word [0x0c * 4], console_interrupt
        mov     word [0x0c * 4 + 2], 0
        in      al, 0x21
        and     al, ~0x10
        out     0x21, al
        mov     dx, COM1 + 1
        mov     al, 1                   ; interrupt when a character has come
        out     dx, al

        test    byte [setup.flags], FLAG_DEAF
        jnz     .deaf
        mov     dx, PM1_ENABLE
        in      ax, dx
        or      ax, POWER_BUTTON
        out     dx, ax
.deaf:
        mov     ax, [setup.bias]
        mov     [bias], ax
        call    trust_rtc
        call    follow_zone
        mov     di, at_boot
        call    take_state
        mov     si, at_boot
        mov     bx, word_boot
        call    print_state

; The interrupt flag is off between the look and HLT, so that no character slips in between.
idle:   cli
        mov     dx, COM1 + 5
        in      al, dx
        test    al, 1
        jnz     .character
        sti
        hlt
        mov     eax, [BIOS_TICKS]
        cmp     eax, [last_tick]
        je      idle
        mov     [last_tick], eax
        call    obey_power_button
        call    follow_zone
        jmp     idle
.character:
        sti
        mov     dx, COM1
        in      al, dx
        cmp     al, 13
        je      idle
        cmp     al, 10
        je      .line
        mov     di, [line_end]
        cmp     di, line + LINE_SIZE - 1
        jae     idle
        stosb
        mov     [line_end], di
        jmp     idle
.line:  mov     di, [line_end]
        mov     byte [di], 0
        mov     word [line_end], line
        call    obey
        jmp     idle

console_interrupt:                      ; its only use is to end the HLT
        push    ax
        mov     al, 0x20
        out     0x20, al
        pop     ax
        iret

obey_power_button:
        test    byte [setup.flags], FLAG_DEAF
        jnz     .end
        mov     dx, PM1_STATUS
        in      ax, dx
        test    ax, POWER_BUTTON
        jnz     power_off
.end:   ret

power_off:
        mov     dx, PM1_CONTROL
        mov     ax, SOFT_OFF
        out     dx, ax
stop:   cli
        hlt
        jmp     stop

        %include "commands.inc"
        %include "clock.inc"
        %include "rtc.inc"
        %include "calendar.inc"
        %include "text.inc"

; ---------------------------------------------------------------- what changes

        align   8
no_interrupts   dw 0, 0, 0
last_tick       dd 0
utc_minus_rtc   dq 0
wanted          dq 0
bias            dw 0                    ; in force: UTC minus local, minutes
line_end        dw line

fields:                                 ; in the order of the registers
.second         db 0
.minute         db 0
.hour           db 0
.day            db 0
.month          db 0
.year           db 0
.century        db 0
.weekday        db 0

; ---------------------------------------------------------------- the setup, from the disk

        times   PROGRAM_SECTORS * 512 - ($ - $$) db 0

        absolute 0x7c00 + PROGRAM_SECTORS * 512
setup:
.magic          resd 1
.flags          resb 1
                resb 1
.bias           resw 1                  ; as saved last
.rows           resw 1
                resb 512 - 10
zone_table      resb TABLE_SECTORS * 512 ; rows of (UTC as Unix time: 32 bits, bias: 16 bits)

LINE_SIZE       equ 64
line            resb LINE_SIZE
at_boot         resb 18
now             resb 18
