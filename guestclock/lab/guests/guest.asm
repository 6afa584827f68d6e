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

; ---------------------------------------------------------------- commands

obey:   mov     si, line
        cmp     byte [si], 0
        je      .end
        mov     di, commands
        call    echo_tag
.try:   mov     bx, [di]
        test    bx, bx
        jz      .unknown
        push    si
.match: mov     al, [bx]
        inc     bx
        test    al, al
        jz      .matched
        cmp     al, [si]
        jne     .other
        inc     si
        jmp     .match
.matched:
        cmp     byte [si], ' '
        je      .space
        cmp     byte [si], 0
        je      .found
.other: pop     si
        add     di, 4
        jmp     .try
.space: inc     si
.found: add     sp, 2
        jmp     [di + 2]                ; with SI at the argument
.unknown:
        mov     si, says_unknown
        call    print
        call    end_line
.end:   ret

echo_tag:
        cmp     byte [si], '0'
        jb      .end
        cmp     byte [si], '9'
        ja      .end
.next:  lodsb
        test    al, al
        jz      .back
        call    print_char
        cmp     al, ' '
        jne     .next
.end:   ret
.back:  dec     si
        ret

commands:
        dw      word_boot, do_boot
        dw      word_state, do_state
        dw      word_local, do_local
        dw      word_rtc, do_rtc
        dw      word_kbc, do_kbc
        dw      word_cf9, do_cf9
        dw      word_triple, do_triple
        dw      word_off, do_off
        dw      0

word_boot       db "boot", 0
word_state      db "state", 0
word_local      db "local", 0
word_rtc        db "rtc", 0
word_kbc        db "kbc", 0
word_cf9        db "cf9", 0
word_triple     db "triple", 0
word_off        db "off", 0

says_unknown    db "error unknown command", 0
says_bad_time   db "error a time is written as 2026-11-23T19:00:00", 0
says_ok         db "ok", 0

do_boot:
        mov     bx, word_boot
        mov     si, at_boot
        jmp     print_state

do_state:
        call    follow_zone
answer_state:
        mov     di, now
        call    take_state
        mov     bx, word_state
        mov     si, now
        jmp     print_state

; The user knows local time only. The bias that belongs to it is the one in force at the UTC it
; gives; in a fold or a gap the bias of before wins.
do_local:
        call    parse_time
        jc      bad_time
        mov     [wanted], eax
        mov     [wanted + 4], edx
        movsx   ecx, word [bias]
        call    add_minutes
        call    bias_at
        mov     [bias], ax
        call    save_bias
        mov     eax, [wanted]
        mov     edx, [wanted + 4]
        call    takes_local
        jnz     .write
        movsx   ecx, word [bias]
        call    add_minutes
.write: call    write_rtc
        call    trust_rtc
        jmp     answer_state

do_rtc: call    parse_time
        jc      bad_time
        mov     [wanted], eax
        mov     [wanted + 4], edx
        call    utc_now
        sub     eax, [wanted]
        sbb     edx, [wanted + 4]
        mov     [utc_minus_rtc], eax
        mov     [utc_minus_rtc + 4], edx
        mov     eax, [wanted]
        mov     edx, [wanted + 4]
        call    write_rtc
        jmp     answer_state

bad_time:
        mov     si, says_bad_time
        call    print
        jmp     end_line

do_kbc: call    print_ok
        mov     al, 0xfe
        out     0x64, al
        jmp     stop

do_cf9: call    print_ok
        mov     dx, 0xcf9
        mov     al, 0x02
        out     dx, al
        mov     al, 0x06
        out     dx, al
        jmp     stop

do_triple:
        call    print_ok
        lidt    [no_interrupts]
        int3
        jmp     stop

do_off: call    print_ok
        jmp     power_off

print_ok:
        mov     si, says_ok
        call    print
        jmp     end_line

; ---------------------------------------------------------------- the guest's clock

; ZF clear if this guest takes its RTC for local time.
takes_local:
        push    ax
        mov     al, [setup.flags]
        and     al, FLAG_WINDOWS | FLAG_UNIVERSAL
        xor     al, FLAG_WINDOWS
        cmp     al, 1                   ; CF set when it does
        sbb     al, al                  ; 0xff, ZF clear when it does
        pop     ax
        ret

; Takes the time from the RTC, as at boot.
trust_rtc:
        xor     eax, eax
        call    takes_local
        jz      .known
        movsx   eax, word [bias]
        imul    eax, 60
.known: cdq
        mov     [utc_minus_rtc], eax
        mov     [utc_minus_rtc + 4], edx
        ret

; Brings the bias up to date with the zone, and after a change what a windows guest keeps of it.
follow_zone:
        call    utc_now
        call    bias_at
        cmp     ax, [bias]
        je      .end
        mov     [bias], ax
        call    save_bias
        call    takes_local
        jz      .end
        call    next_second             ; a write starts a new second: it would lose the part gone by
        call    utc_now
        movsx   ecx, word [bias]
        neg     ecx
        call    add_minutes
        call    write_rtc
        jmp     trust_rtc
.end:   ret

; On a disk that cannot be written the bias is forgotten at the next boot, as in a sealed image.
save_bias:
        test    byte [setup.flags], FLAG_WINDOWS
        jz      .end
        mov     ax, [bias]
        cmp     ax, [setup.bias]
        je      .end
        mov     [setup.bias], ax
        mov     si, setup_alone
        mov     dl, [drive]
        mov     ax, 0x4300
        int     0x13
.end:   ret

; EDX:EAX = UTC as this guest believes it.
utc_now:
        call    read_rtc
        add     eax, [utc_minus_rtc]
        adc     edx, [utc_minus_rtc + 4]
        ret

; AX = bias in force at UTC EDX:EAX; the one we have if there is no table.
bias_at:
        mov     bx, [bias]
        mov     cx, [setup.rows]
        jcxz    .end
        mov     si, zone_table
        mov     bx, [si + 4]            ; the first row's holds before it too
        sub     eax, UNIX_LOW
        sbb     edx, UNIX_HIGH
        js      .end
        jz      .next
        mov     eax, -1                 ; past 2106 the last row's holds
.next:  cmp     eax, [si]
        jb      .end
        mov     bx, [si + 4]
        add     si, 6
        loop    .next
.end:   mov     ax, bx
        ret

; EDX:EAX += ECX minutes.
add_minutes:
        imul    ecx, 60
        mov     ebx, ecx
        sar     ebx, 31
        add     eax, ecx
        adc     edx, ebx
        ret

; A state is the RTC, UTC (64 bits each) and the bias (16 bits). Stores that of now at DI.
take_state:
        push    di
        call    read_rtc
        pop     di
        mov     [di], eax
        mov     [di + 4], edx
        add     eax, [utc_minus_rtc]
        adc     edx, [utc_minus_rtc + 4]
        mov     [di + 8], eax
        mov     [di + 12], edx
        mov     ax, [bias]
        mov     [di + 16], ax
        ret

; Prints the state at SI as a line that starts with the word at BX.
print_state:
        push    si
        mov     si, bx
        call    print
        mov     si, says_rtc
        call    print
        pop     si
        mov     eax, [si]
        mov     edx, [si + 4]
        push    si
        call    print_time
        mov     si, says_utc
        call    print
        pop     si
        mov     eax, [si + 8]
        mov     edx, [si + 12]
        push    si
        call    print_time
        mov     si, says_local
        call    print
        pop     si
        mov     eax, [si + 8]
        mov     edx, [si + 12]
        movsx   ecx, word [si + 16]
        neg     ecx
        push    si
        call    add_minutes
        call    print_time
        mov     si, says_bias
        call    print
        pop     si
        mov     ax, [si + 16]
        call    print_signed
        jmp     end_line

says_rtc        db " rtc=", 0
says_utc        db " utc=", 0
says_local      db " local=", 0
says_bias       db " bias=", 0

; ---------------------------------------------------------------- the RTC

; EDX:EAX = the RTC's reading. Two equal readings outside an update are a true one.
read_rtc:
        call    read_fields
.again: mov     esi, [fields]
        mov     edi, [fields + 4]
        push    esi
        push    edi
        call    read_fields
        pop     edi
        pop     esi
        cmp     esi, [fields]
        jne     .again
        cmp     edi, [fields + 4]
        jne     .again
        jmp     seconds_of_fields

; The firmware leaves the RTC in 24-hour mode; BCD or binary, it tells itself.
read_fields:
        mov     al, 0x0a
        out     0x70, al
        in      al, 0x71
        test    al, 0x80                ; update in progress
        jnz     read_fields
        mov     al, 0x0b
        out     0x70, al
        in      al, 0x71
        mov     bl, al
        mov     byte [fields.weekday], 0
        mov     si, registers
        mov     di, fields
        mov     cx, 7
.next:  lodsb
        out     0x70, al
        in      al, 0x71
        test    bl, 0x04
        jnz     .binary
        mov     ah, al
        shr     ah, 4
        and     al, 0x0f
        aad
.binary:
        stosb
        loop    .next
        ret

; Writes EDX:EAX to the RTC, which stands still (SET) until all of it is there.
write_rtc:
        call    fields_of_seconds
        mov     al, 0x0b
        out     0x70, al
        in      al, 0x71
        mov     bl, al
        or      al, 0x80
        out     0x71, al
        mov     si, registers
        mov     di, fields
        mov     cx, 8
.next:  lodsb
        out     0x70, al
        mov     al, [di]
        inc     di
        test    bl, 0x04
        jnz     .binary
        aam
        shl     ah, 4
        or      al, ah
.binary:
        out     0x71, al
        loop    .next
        mov     al, 0x0b
        out     0x70, al
        mov     al, bl
        and     al, 0x7f
        out     0x71, al
        ret

; Waits until the RTC goes on to its next second, or for two seconds if it stands still.
next_second:
        call    read_rtc
        mov     [wanted], eax
        mov     ecx, [BIOS_TICKS]
        add     ecx, 37
.again: push    ecx
        call    read_rtc
        pop     ecx
        cmp     eax, [wanted]
        jne     .end
        cmp     [BIOS_TICKS], ecx
        jb      .again
.end:   ret

; ---------------------------------------------------------------- the calendar

seconds_of_fields:
        movzx   eax, byte [fields.century]
        imul    eax, 100
        movzx   ecx, byte [fields.year]
        add     eax, ecx
        movzx   ebx, byte [fields.month]
        cmp     bl, 2
        ja      .march
        dec     eax                     ; years start in March, so that leap days end them
        add     bl, 12
.march: imul    ecx, eax, 365
        mov     esi, eax
        shr     eax, 2
        add     ecx, eax
        mov     eax, esi
        xor     edx, edx
        mov     edi, 100
        div     edi
        sub     ecx, eax
        shr     eax, 2
        add     ecx, eax
        imul    eax, ebx, 153
        sub     eax, 3 * 153 - 2
        xor     edx, edx
        mov     edi, 5
        div     edi
        add     ecx, eax
        movzx   eax, byte [fields.day]
        lea     ecx, [ecx + eax - 1]
        mov     eax, DAY
        mul     ecx
        movzx   ecx, byte [fields.hour]
        imul    ecx, 60
        movzx   ebx, byte [fields.minute]
        add     ecx, ebx
        imul    ecx, 60
        movzx   ebx, byte [fields.second]
        add     ecx, ebx
        add     eax, ecx
        adc     edx, 0
        ret

fields_of_seconds:
        mov     ecx, DAY
        div     ecx
        mov     ebx, eax                ; days
        mov     eax, edx
        xor     edx, edx
        mov     ecx, 60
        div     ecx
        mov     [fields.second], dl
        xor     edx, edx
        div     ecx
        mov     [fields.minute], dl
        mov     [fields.hour], al
        lea     eax, [ebx + 3]          ; 0000-03-01 was a Wednesday; the RTC's Sunday is 1
        xor     edx, edx
        mov     ecx, 7
        div     ecx
        inc     dl
        mov     [fields.weekday], dl

        mov     eax, ebx
        xor     edx, edx
        mov     ecx, 146097             ; days in 400 years
        div     ecx
        imul    edi, eax, 400           ; year so far
        mov     esi, edx                ; day of the 400 years
        mov     ebx, edx
        mov     eax, esi                ; leave out the leap days: every year 365
        xor     edx, edx
        mov     ecx, 1460
        div     ecx
        sub     ebx, eax
        mov     eax, esi
        xor     edx, edx
        mov     ecx, 36524
        div     ecx
        add     ebx, eax
        mov     eax, esi
        xor     edx, edx
        mov     ecx, 146096
        div     ecx
        sub     ebx, eax
        mov     eax, ebx
        xor     edx, edx
        mov     ecx, 365
        div     ecx                     ; EAX = year of the 400
        add     edi, eax
        imul    ebx, eax, 365
        sub     esi, ebx
        mov     ebx, eax
        shr     ebx, 2
        sub     esi, ebx
        xor     edx, edx
        mov     ecx, 100
        div     ecx
        add     esi, eax                ; ESI = day of the year that starts in March
        imul    eax, esi, 5
        add     eax, 2
        xor     edx, edx
        mov     ecx, 153
        div     ecx
        mov     ebx, eax                ; month, March being 0
        imul    eax, 153
        add     eax, 2
        xor     edx, edx
        mov     ecx, 5
        div     ecx
        sub     esi, eax
        inc     si
        mov     ax, si
        mov     [fields.day], al
        add     bl, 3
        cmp     bl, 12
        jbe     .year
        sub     bl, 12
        inc     edi
.year:  mov     [fields.month], bl
        mov     eax, edi
        xor     edx, edx
        mov     ecx, 100
        div     ecx
        mov     [fields.century], al
        mov     [fields.year], dl
        ret

; ---------------------------------------------------------------- words and figures

print_time:
        call    fields_of_seconds
        mov     si, time_form
.next:  lodsb
        test    al, al
        jz      .end
        cmp     al, 8
        ja      .char
        movzx   bx, al
        mov     al, [fields - 1 + bx]
        aam
        add     ax, "00"
        xchg    al, ah
        call    print_char
        mov     al, ah
.char:  call    print_char
        jmp     .next
.end:   ret

; EDX:EAX = the time written at SI; CF set if it is none.
parse_time:
        mov     di, time_form
.next:  mov     bl, [di]
        inc     di
        test    bl, bl
        jz      .end
        cmp     bl, 8
        ja      .char
        call    .digit
        jc      .bad
        mov     ah, al
        call    .digit
        jc      .bad
        aad
        movzx   bx, bl
        mov     [fields - 1 + bx], al
        jmp     .next
.char:  lodsb
        cmp     al, bl
        je      .next
.bad:   stc
        ret
.end:   cmp     byte [si], 0
        jne     .bad
        call    seconds_of_fields
        clc
        ret
.digit: lodsb
        sub     al, '0'
        jb      .none
        cmp     al, 10
        cmc
.none:  ret

print_signed:
        test    ax, ax
        jns     .figure
        push    ax
        mov     al, '-'
        call    print_char
        pop     ax
        neg     ax
.figure:
        xor     dx, dx
        mov     bx, 10
        div     bx
        push    dx
        test    ax, ax
        jz      .last
        call    .figure
.last:  pop     ax
        add     al, '0'
        jmp     print_char

; A number is a field (1 the first); anything else stands for itself.
time_form       db 7, 6, "-", 5, "-", 4, "T", 3, ":", 2, ":", 1, 0

registers       db 0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32, 0x06

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
