/* Load generator for WebSocket servers on this machine: one thread, epoll, every answer checked.
 *
 *     load TASK --port P [--wire W] [options]        prints one line of JSON; exit 0 good, 1 faults, 2 could not run
 *
 * TASK   calls   keep --depth calls in flight on each of --connections; count after --warmup, for --seconds or --count calls
 *        storm   open --connections, --at-once at a time, and say how fast that went
 *        idle    open --connections, make one call on each, then hold them until stdin closes
 *        swap    like calls, on plugs that are being swapped: answers are {"v":N,"h":K,"sum":S}, see check_version()
 * W      plugsock  `call ID EVENT PAYLOAD` -> `ok ID RESULT`
 *        plain     the message is the payload, and so is the answer (a raw echo, or a typed JSON echo)
 *        socketio  Engine.IO 4, Socket.IO 5: `42ID["EVENT",PAYLOAD]` -> `43ID[PAYLOAD]`
 *
 * The payload is 100 bytes (--size) of JSON, {"client":C,"number":ID,"text":"..."}, different for every call; the answer
 * must be the same bytes. Each call has a fresh id and must get exactly one answer: what is wrong, missing, double or
 * unasked is counted and fails the run. The marks `counting` and `counted` go to stderr as the counted window begins and
 * ends.
 *
 * It is a closed loop: a call is sent when another has been answered, so a slow server is asked less. With --rate it is
 * an open one: so many calls a second over all connections in turn, and a call's time begins when it was due. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 16,       /* events that a swap run may call in turn */
    ABSENCES = 512,    /* spells of `gone` that are remembered: the report must fit into a pipe */
    CHUNK = 256 << 10, /* bytes read at once */
    LONGEST = 65536,   /* bytes that a server may send beside a payload: a header, a notice, an error */
    VERSIONS = 1 << 20,
};

static const double OPEN_S = 30, LINGER_S = 0.05, CLOSE_S = 5, HOLD_S = 600;

/* The sample of RFC 6455, section 1.3: a key whose answer is known without SHA-1. */
static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==", ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

typedef enum { CALLS, STORM, IDLE, SWAP } Task;
typedef enum { PLUGSOCK, PLAIN, SOCKETIO } Wire;
typedef enum { OPENING, WARMING, COUNTING, DRAINING, LINGERING, HOLDING, CLOSING, DONE } Phase;
typedef enum { CONNECTING, UPGRADING, GREETING, READY, CLOSED } State;
typedef enum { WRONG, MISSING, DOUBLE, UNKNOWN, ERROR, BACKWARDS, LOST, FAULTS } Fault;

static const char *const FAULT_NAMES[FAULTS] = {"wrong", "missing", "double", "unknown", "error", "backwards", "closed"};

typedef struct {
    char *data;
    size_t length, capacity;
} Buffer;

typedef struct {
    uint64_t sent_ns;
    uint32_t version, helper;
    uint8_t event;
    bool open;
} Call;

typedef struct {
    int fd;
    uint32_t index;
    State state;
    bool blocked; /* waits for EPOLLOUT */
    uint64_t began_ns;
    Buffer in, out;
    uint64_t base, next; /* every id below base is answered; next was not sent yet */
    uint32_t open;
    Call *calls; /* of ids base..next, at id & mask */
    uint32_t versions[EVENTS], helpers[EVENTS];
} Connection;

static struct {
    Task task;
    Wire wire;
    int port, connections, depth, at_once, events, fleeting;
    bool hello;
    double seconds, warmup_s, patience_s, rate;
    uint64_t count;
    size_t size; /* of a payload: 100 bytes are what the published comparisons of WebSocket servers use too */
    const char *path, *protocol, *event[EVENTS];
} want = {.connections = 32, .depth = 16, .at_once = 64, .fleeting = -1, .seconds = 3, .warmup_s = 1, .patience_s = 10, .size = 100,
          .path = "/"};

static struct {
    Phase phase;
    int epoll, started, ready, closed;
    uint64_t open, sent, answered, counted, quota, until_ns, began_ns, ended_ns, heard_ns, mask, due_ns, turn;
    uint64_t faults[FAULTS], gone;
    char first_fault[256];
} run;

static Connection *connections;
static char *letters;           /* the alphabet over and over, for texts of any length that begin at any letter */
static char *message, *expected; /* room for a call and for what its answer must be */

/* ---- small things ---- */

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}

static uint64_t clock_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t after(double seconds) { return clock_ns() + (uint64_t)(seconds * 1e9); }

/* Counts a fault and keeps the text of the first one, with what a JSON string can't hold replaced. */
static void fault(Fault kind, const Connection *c, uint64_t id, const char *text, size_t length) {
    if (run.faults[kind]++ || run.first_fault[0]) return;
    int n = snprintf(run.first_fault, sizeof run.first_fault, "%s: connection %u, id %" PRIu64 ": %.*s", FAULT_NAMES[kind],
                     c->index, id, (int)(length < 150 ? length : 150), text);
    for (int i = 0; i < n; i++) {
        char *at = &run.first_fault[i];
        if (*at == '"' || *at == '\\') *at = '\'';
        else if (!isprint((unsigned char)*at)) *at = '?';
    }
}

/* Returns the end of a buffer, where there is room for so many bytes more. */
static char *reserve(Buffer *buffer, size_t length) {
    if (buffer->length + length > buffer->capacity) {
        buffer->capacity = (buffer->length + length) * 2;
        if (!(buffer->data = realloc(buffer->data, buffer->capacity))) die("out of memory");
    }
    return buffer->data + buffer->length;
}

static void append(Buffer *buffer, const void *data, size_t length) {
    memcpy(reserve(buffer, length), data, length);
    buffer->length += length;
}

static void drop_front(Buffer *buffer, size_t length) {
    buffer->length -= length;
    memmove(buffer->data, buffer->data + length, buffer->length);
}

static char *put(char *at, const char *text) { return stpcpy(at, text); }

static char *put_number(char *at, uint64_t number) {
    char digits[20];
    int n = 0;
    do digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n) *at++ = digits[--n];
    return at;
}

/* Reads digits at *at, moving it; 0 where there are none (no id is 0). */
static uint64_t take_number(const char **at, const char *end) {
    uint64_t number = 0;
    while (*at < end && isdigit((unsigned char)**at)) number = number * 10 + (uint64_t)(*(*at)++ - '0');
    return number;
}

/* ---- histogram: 128 steps to each power of two of nanoseconds, so a percentile is right within 0.8 % ---- */

static uint64_t histogram[58 * 128], longest_ns;

static void record(uint64_t ns) {
    int shift = ns < 256 ? 0 : 56 - __builtin_clzll(ns);
    histogram[(uint64_t)shift * 128 + (ns >> shift)]++;
    if (ns > longest_ns) longest_ns = ns;
}

static double percentile_us(double share) {
    uint64_t total = 0, below = 0;
    const uint64_t size = sizeof histogram / sizeof *histogram;
    for (uint64_t i = 0; i < size; i++) total += histogram[i];
    const uint64_t rank = (uint64_t)((double)total * share);
    for (uint64_t i = 0; i < size; i++) {
        if ((below += histogram[i]) <= rank) continue;
        uint64_t shift = i < 256 ? 0 : i / 128 - 1;
        return (double)((i - shift * 128) << shift) / 1e3;
    }
    return (double)longest_ns / 1e3;
}

/* ---- sending ---- */

static void watch(Connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(run.epoll, operation, c->fd, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void lose(Connection *c, const char *why) {
    if (c->state == CLOSED) return;
    if (run.phase == OPENING) die("connection %u did not open: %s", c->index, why);
    if (run.phase != CLOSING) fault(LOST, c, 0, why, strlen(why));
    c->state = CLOSED;
    run.closed++;
    close(c->fd);
}

static void flush(Connection *c) {
    if (c->state == CLOSED || !c->out.length) return;
    ssize_t n = send(c->fd, c->out.data, c->out.length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return lose(c, strerror(errno));
    if (n > 0) drop_front(&c->out, (size_t)n);
    const bool blocked = c->out.length > 0;
    if (blocked != c->blocked) watch(c, EPOLL_CTL_MOD, EPOLLIN | (blocked ? EPOLLOUT : 0));
    c->blocked = blocked;
}

/* Copies a payload under its mask, eight bytes at a time while there are as many. */
static void mask_into(unsigned char *to, const char *payload, size_t length, const unsigned char key[4]) {
    uint64_t keys, part;
    size_t i = 0;
    memcpy(&keys, key, 4);
    memcpy((unsigned char *)&keys + 4, key, 4);
    for (; i + 8 <= length; i += 8) {
        memcpy(&part, payload + i, 8);
        part ^= keys;
        memcpy(to + i, &part, 8);
    }
    for (; i < length; i++) to[i] = (unsigned char)payload[i] ^ key[i & 3];
}

static void send_frame(Connection *c, int opcode, const char *payload, size_t length) {
    static uint32_t random = 2463534242u; /* xorshift32: masks must vary, not be secret */
    unsigned char *frame = (unsigned char *)reserve(&c->out, length + 14), *at = frame;
    const int width = length < 126 ? 0 : length < 65536 ? 2 : 8;
    *at++ = (unsigned char)(0x80 | opcode);
    *at++ = (unsigned char)(0x80 | (width == 0 ? length : width == 2 ? 126 : 127));
    for (int i = width - 1; i >= 0; i--) *at++ = (unsigned char)(length >> 8 * i);
    random ^= random << 13, random ^= random >> 17, random ^= random << 5;
    memcpy(at, &random, 4);
    mask_into(at + 4, payload, length, at);
    c->out.length += (size_t)(at + 4 - frame) + length;
}

static void send_text(Connection *c, const char *text) { send_frame(c, 1, text, strlen(text)); }

/* Writes the payload of one call: as many bytes as are wanted, different for every call of every connection. */
static char *put_payload(char *at, const Connection *c, uint64_t id) {
    char *end = at + want.size - 2;
    at = put_number(put(at, "{\"client\":"), c->index);
    at = put_number(put(at, ",\"number\":"), id);
    at = put(at, ",\"text\":\"");
    memcpy(at, letters + id % 26, (size_t)(end - at));
    return put(end, "\"}");
}

static void send_call(Connection *c, uint64_t sent_ns) {
    char *at = message;
    const uint64_t id = c->next++;
    Call *call = &c->calls[id & run.mask];
    *call = (Call){.sent_ns = sent_ns, .open = true, .event = (uint8_t)(id % (uint64_t)want.events)};
    const char *event = want.event[call->event];
    if (want.wire == PLUGSOCK) {
        at = put_number(put(at, "call "), id);
        at = put(put(put(at, " "), event), " ");
        at = want.task == SWAP ? put(at, "{}") : put_payload(at, c, id);
    } else if (want.wire == SOCKETIO) {
        at = put_number(put(at, "42"), id);
        at = put(put(put(at, "[\""), event), "\",");
        at = put(put_payload(at, c, id), "]");
    } else {
        at = put_payload(at, c, id);
    }
    send_frame(c, 1, message, (size_t)(at - message));
    c->open++, run.open++, run.sent++;
}

/* May a call be sent on this connection now? Not more ids than the ring holds, for an answer that never comes must stay
 * noticed. */
static bool may_send(const Connection *c) {
    if (c->state != READY || c->next - c->base > run.mask) return false;
    if (run.phase == COUNTING) return !want.count || run.quota;
    return run.phase == WARMING;
}

static void spend(void) {
    if (run.phase == COUNTING && want.count) run.quota--;
}

/* Keeps `depth` calls in flight. */
static void fill(Connection *c) {
    while (want.rate == 0 && c->open < (uint32_t)want.depth && may_send(c)) {
        spend();
        send_call(c, clock_ns());
    }
}

/* Sends the calls that are due, on one connection after the other. */
static void send_due(void) {
    const uint64_t step_ns = (uint64_t)(1e9 / want.rate), now = clock_ns();
    while (run.due_ns <= now && (run.phase == WARMING || run.phase == COUNTING)) {
        Connection *c = &connections[run.turn % (uint64_t)want.connections];
        if (!may_send(c)) return;
        spend();
        send_call(c, run.due_ns);
        flush(c);
        run.turn++;
        run.due_ns += step_ns;
    }
}

/* ---- answers ---- */

static struct {
    uint64_t first_sent_ns, last_heard_ns, count;
} absences[ABSENCES];
static int absence_count;
static bool absent;
static unsigned char seen_versions[VERSIONS / 8];
static uint64_t version_count;

static void note_version(uint32_t version) {
    if (version >= VERSIONS || seen_versions[version / 8] >> version % 8 & 1) return;
    seen_versions[version / 8] |= (unsigned char)(1 << version % 8);
    version_count++;
}

/* A spell of `gone`: from the first such call sent to the last such answer heard before the plug answered again. */
static void note_gone(const Call *call, uint64_t now) {
    if (!absent && absence_count < ABSENCES) absences[absence_count++].first_sent_ns = call->sent_ns;
    absent = true;
    run.gone++;
    if (call->sent_ns < absences[absence_count - 1].first_sent_ns) absences[absence_count - 1].first_sent_ns = call->sent_ns;
    absences[absence_count - 1].last_heard_ns = now;
    absences[absence_count - 1].count++;
}

/* What the tail of a file must hold if its head says `version`: run.py's swap.py writes both. */
static uint64_t tail_of(uint64_t version) { return version * 7919 % 1000003; }

/* {"v":N,"h":K,"sum":S}: N and K stand in the first halves of the plug's file and of its helper's file, and S is the
 * sum of what stands in their second halves. So a half-loaded file, or an old half under a new one, shows. */
static bool check_version(Call *call, const char *payload, size_t length) {
    char text[128];
    unsigned version, helper;
    uint64_t sum;
    int end = 0;
    snprintf(text, sizeof text, "%.*s", (int)(length < 127 ? length : 127), payload);
    if (sscanf(text, "{\"v\":%u,\"h\":%u,\"sum\":%" SCNu64 "}%n", &version, &helper, &sum, &end) < 3) return false;
    if ((size_t)end != length || sum != tail_of(version) + tail_of(helper)) return false;
    call->version = version, call->helper = helper;
    note_version(version);
    if (call->event == want.fleeting) absent = false;
    return true;
}

/* In order of sending: the later sent of two calls never ran on an older file or helper. */
static void settle(Connection *c) {
    for (; c->base < c->next && !c->calls[c->base & run.mask].open; c->base++) {
        const Call *call = &c->calls[c->base & run.mask];
        if (!call->version) continue;
        if (call->version < c->versions[call->event] || call->helper < c->helpers[call->event])
            fault(BACKWARDS, c, c->base, "an older revision than a call sent before", 41);
        c->versions[call->event] = call->version;
        c->helpers[call->event] = call->helper;
    }
}

static bool same_payload(const Connection *c, uint64_t id, const char *payload, size_t length) {
    if (length != want.size) return false;
    put_payload(expected, c, id);
    return !memcmp(expected, payload, want.size);
}

static bool is_gone(const Call *call, const char *payload, size_t length) {
    return want.task == SWAP && call->event == want.fleeting &&
           (memmem(payload, length, "\"gone\"", 6) || memmem(payload, length, "\"not_found\"", 11));
}

static void on_answer(Connection *c, uint64_t id, bool ok, const char *payload, size_t length, uint64_t now) {
    if (!id || id >= c->next) return fault(UNKNOWN, c, id, payload, length);
    Call *call = &c->calls[id & run.mask];
    if (id < c->base || !call->open) return fault(DOUBLE, c, id, payload, length);
    call->open = false;
    c->open--, run.open--, run.answered++;
    run.heard_ns = now;
    if (!ok && is_gone(call, payload, length)) note_gone(call, now);
    else if (!ok) fault(ERROR, c, id, payload, length);
    else if (!(want.task == SWAP ? check_version(call, payload, length) : same_payload(c, id, payload, length)))
        fault(WRONG, c, id, payload, length);
    if (run.phase == COUNTING) run.counted++, record(now - call->sent_ns);
    settle(c);
    fill(c);
}

static void set_ready(Connection *c) {
    c->state = READY;
    run.ready++;
    if (want.task == STORM) record(clock_ns() - c->began_ns);
}

static bool starts(const char *text, size_t length, const char *with) {
    return length >= strlen(with) && !memcmp(text, with, strlen(with));
}

static void on_plugsock(Connection *c, const char *text, size_t length, uint64_t now) {
    const char *at, *end = text + length;
    const bool ok = starts(text, length, "ok "), error = starts(text, length, "error ");
    if (ok || error) {
        at = text + (ok ? 3 : 6);
        const uint64_t id = take_number(&at, end);
        if (at < end && *at == ' ') at++;
        on_answer(c, id, ok, at, (size_t)(end - at), now);
    } else if (starts(text, length, "welcome 1 ") && c->state == GREETING) {
        set_ready(c);
    } else if (!starts(text, length, "notice ")) {
        fault(UNKNOWN, c, 0, text, length);
    }
}

static void on_socketio(Connection *c, const char *text, size_t length, uint64_t now) {
    const char *at = text + 2, *end = text + length;
    if (starts(text, length, "43")) {
        const uint64_t id = take_number(&at, end);
        if (end - at < 2 || *at != '[' || end[-1] != ']') return fault(WRONG, c, id, text, length);
        on_answer(c, id, true, at + 1, (size_t)(end - at - 2), now);
    } else if (length == 1 && *text == '2') {
        send_text(c, "3");
    } else if (starts(text, length, "0{")) {
        send_text(c, "40");
    } else if (starts(text, length, "40") && c->state == GREETING) {
        set_ready(c);
    } else {
        fault(UNKNOWN, c, 0, text, length);
    }
}

static void on_plain(Connection *c, const char *text, size_t length, uint64_t now) {
    const char *at = memmem(text, length, "\"number\":", 9);
    if (!at) return fault(UNKNOWN, c, 0, text, length);
    at += 9;
    const uint64_t id = take_number(&at, text + length);
    on_answer(c, id, true, text, length, now);
}

static void on_frame(Connection *c, int opcode, const char *payload, size_t length, uint64_t now) {
    static void (*const on_text[])(Connection *, const char *, size_t, uint64_t) = {on_plugsock, on_plain, on_socketio};
    if (opcode == 1) on_text[want.wire](c, payload, length, now);
    else if (opcode == 8 && run.phase != CLOSING) lose(c, "the server sent a close frame");
    else if (opcode == 9) send_frame(c, 10, payload, length);
    else if (opcode != 8 && opcode != 10) lose(c, "a frame that no benchmarked server sends");
}

/* ---- receiving ---- */

/* Takes one whole frame off the front; 0 if it is not all there yet. */
static size_t take_frame(Connection *c, const char *data, size_t length, uint64_t now) {
    const unsigned char *bytes = (const unsigned char *)data;
    if (length < 2) return 0;
    if (bytes[1] & 128 || !(bytes[0] & 128) || bytes[0] & 0x70) {
        lose(c, "a masked, fragmented or compressed frame");
        return 0;
    }
    size_t size = bytes[1] & 127;
    const size_t width = size == 126 ? 2 : size == 127 ? 8 : 0, header = 2 + width;
    if (length < header) return 0;
    if (width) size = 0;
    for (size_t i = 0; i < width; i++) size = size << 8 | bytes[2 + i];
    if (size > want.size + LONGEST) {
        lose(c, "a frame longer than any answer");
        return 0;
    }
    if (length < header + size) return 0;
    on_frame(c, bytes[0] & 15, data + header, size, now);
    return header + size;
}

/* Takes the answer to the handshake off the front; 0 if it is not all there yet. */
static size_t take_response(Connection *c, const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end) return 0;
    char head[4096];
    snprintf(head, sizeof head, "%.*s", (int)(end - data < 4095 ? end - data : 4095), data);
    if (!starts(head, strlen(head), "HTTP/1.1 101 ")) die("the handshake was refused: %.200s", head);
    if (!strstr(head, ACCEPT)) die("the handshake was accepted with a wrong Sec-WebSocket-Accept");
    if (want.protocol && !(strcasestr(head, "Sec-WebSocket-Protocol:") && strstr(head, want.protocol)))
        die("the server did not choose the subprotocol %s", want.protocol);
    c->state = GREETING;
    if (want.wire == PLUGSOCK && want.hello) send_text(c, "hello 1 plugsock {\"v\":1}");
    else if (want.wire != SOCKETIO) set_ready(c);
    return (size_t)(end + 4 - data);
}

static size_t parse(Connection *c, const char *data, size_t length, uint64_t now) {
    size_t taken = 0, step;
    do {
        if (c->state == UPGRADING) step = take_response(c, data + taken, length - taken);
        else step = c->state == CLOSED ? 0 : take_frame(c, data + taken, length - taken, now);
        taken += step;
    } while (step);
    return taken;
}

static void on_readable(Connection *c) {
    static char chunk[CHUNK];
    ssize_t n = recv(c->fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return lose(c, n ? strerror(errno) : "the server closed the connection");
    const uint64_t now = clock_ns();
    if (c->in.length) {
        append(&c->in, chunk, (size_t)n);
        drop_front(&c->in, parse(c, c->in.data, c->in.length, now));
    } else {
        const size_t taken = parse(c, chunk, (size_t)n, now);
        if (taken < (size_t)n) append(&c->in, chunk + taken, (size_t)n - taken);
    }
    flush(c);
}

/* ---- opening ---- */

static void send_request(Connection *c) {
    char request[1024], offer[160] = "";
    if (want.protocol) snprintf(offer, sizeof offer, "Sec-WebSocket-Protocol: %s\r\n", want.protocol);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                     want.path, want.port, KEY, offer);
    if (n >= (int)sizeof request) die("--path is too long");
    append(&c->out, request, (size_t)n);
    c->state = UPGRADING;
}

static void on_connected(Connection *c) {
    int error = 0, on = 1;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return lose(c, strerror(error));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    send_request(c);
    c->blocked = true; /* EPOLLOUT is still asked for */
    flush(c);
}

static void open_connection(Connection *c, uint32_t index) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)want.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->index = index;
    c->base = c->next = want.hello ? 2 : 1; /* hello has taken id 1 */
    c->began_ns = clock_ns();
    c->calls = calloc(run.mask + 1, sizeof *c->calls);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || !c->calls) die("connection %u: %s", index, strerror(errno));
    if (connect(c->fd, (const struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) lose(c, strerror(errno));
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void open_more(void) {
    while (run.started < want.connections && run.started - run.ready < want.at_once) {
        open_connection(&connections[run.started], (uint32_t)run.started);
        run.started++;
    }
}

/* ---- phases ---- */

static void for_each(void (*act)(Connection *)) {
    for (int i = 0; i < run.started; i++) act(&connections[i]), flush(&connections[i]);
}

static void say_goodbye(Connection *c) {
    if (c->state == READY) send_frame(c, 8, "\x03\xe8", 2);
}

static void count_missing(Connection *c) {
    for (uint64_t id = c->base; id < c->next; id++)
        if (c->calls[id & run.mask].open) fault(MISSING, c, id, "no answer", 9);
}

static void begin(Phase phase, double seconds) {
    run.phase = phase;
    run.until_ns = after(seconds);
}

/* From now on calls are due at their rate. */
static void begin_pace(void) {
    if (want.rate > 0 && !run.due_ns) run.due_ns = clock_ns();
}

static void begin_counting(void) {
    begin(COUNTING, want.seconds);
    run.quota = want.count;
    run.began_ns = run.heard_ns = clock_ns();
    fputs("counting\n", stderr);
    begin_pace();
    for_each(fill);
}

static void end_counting(void) {
    run.ended_ns = clock_ns();
    fputs("counted\n", stderr);
    begin(DRAINING, want.patience_s);
}

static void end_opening(void) {
    if (want.task != STORM) {
        if (want.warmup_s == 0) return begin_counting();
        begin(WARMING, want.warmup_s);
        begin_pace();
        return for_each(fill);
    }
    run.ended_ns = clock_ns();
    run.counted = (uint64_t)run.ready;
    fputs("counted\n", stderr);
    begin(LINGERING, LINGER_S);
}

static void report(void);

static void hold(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    begin(HOLDING, HOLD_S);
    report();
    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event)) run.until_ns = 0; /* a file: nothing to wait for */
}

static void say_goodbyes(void) {
    begin(CLOSING, CLOSE_S);
    for_each(say_goodbye);
}

/* All that was to be counted is, or (where a count is waited for) no answer has come for as long as is waited for one. */
static bool counted_all(void) {
    if (run.closed == want.connections) return true;
    if (!want.count) return false;
    return (!run.quota && !run.open) || clock_ns() - run.heard_ns > (uint64_t)(want.patience_s * 1e9);
}

/* Moves on to the next phase when this one's time is over or its work is done. */
static void step(void) {
    const bool late = clock_ns() >= run.until_ns;
    switch (run.phase) {
    case OPENING:
        open_more();
        if (run.ready == want.connections) end_opening();
        else if (late) die("only %d of %d connections opened in %g s", run.ready, want.connections, OPEN_S);
        break;
    case WARMING:
        if (late) begin_counting();
        break;
    case COUNTING:
        if (late || counted_all()) end_counting();
        break;
    case DRAINING:
        if (!run.open || late || run.closed == want.connections) begin(LINGERING, LINGER_S);
        break;
    case LINGERING: /* a second answer to the last calls would come now */
        if (!late) break;
        for_each(count_missing);
        if (want.task == IDLE) hold();
        else say_goodbyes();
        break;
    case HOLDING:
        if (late) say_goodbyes();
        break;
    case CLOSING:
        if (late || run.closed == want.connections) run.phase = DONE;
        break;
    case DONE:
        break;
    }
}

static void on_stdin(void) {
    char byte;
    if (read(STDIN_FILENO, &byte, 1) > 0) return;
    epoll_ctl(run.epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    say_goodbyes();
}

static void on_event(const struct epoll_event *event) {
    Connection *c = event->data.ptr;
    if (!c) return on_stdin();
    if (c->state == CONNECTING) return on_connected(c);
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR) && c->state != CLOSED) on_readable(c);
    if (event->events & EPOLLOUT) flush(c);
}

/* Waits for something to happen, or for the next call to be due: epoll alone counts in milliseconds. */
static int await_events(struct epoll_event *events, int size) {
    if (want.rate == 0 || (run.phase != WARMING && run.phase != COUNTING)) return epoll_wait(run.epoll, events, size, 10);
    struct pollfd polled = {.fd = run.epoll, .events = POLLIN};
    const uint64_t now = clock_ns(), wait_ns = run.due_ns > now ? run.due_ns - now : 0;
    const struct timespec limit = {.tv_nsec = (long)(wait_ns < 10000000 ? wait_ns : 10000000)};
    ppoll(&polled, 1, &limit, NULL);
    send_due();
    return epoll_wait(run.epoll, events, size, 0);
}

static void loop(void) {
    struct epoll_event events[256];
    begin(OPENING, OPEN_S);
    run.began_ns = clock_ns();
    if (want.task == STORM) fputs("counting\n", stderr);
    for (step(); run.phase != DONE; step()) {
        const int n = await_events(events, 256);
        for (int i = 0; i < n && run.phase != DONE; i++) on_event(&events[i]);
    }
}

/* ---- report ---- */

static void report_swap(void) {
    printf(",\"versions\":%" PRIu64 ",\"gone\":%" PRIu64 ",\"absences\":[", version_count, run.gone);
    for (int i = 0; i < absence_count; i++)
        printf("%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "", absences[i].first_sent_ns,
               absences[i].last_heard_ns, absences[i].count);
    printf("]");
}

static void report(void) {
    const double seconds = (double)(run.ended_ns - run.began_ns) / 1e9;
    printf("{\"connections\":%d,\"depth\":%d,\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"counted\":%" PRIu64
           ",\"seconds\":%.4f,\"rate\":%.0f",
           want.connections, want.depth, run.sent, run.answered, run.counted, seconds, (double)run.counted / seconds);
    printf(",\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p99_9_us\":%.1f,\"max_us\":%.1f", percentile_us(.5),
           percentile_us(.9), percentile_us(.99), percentile_us(.999), (double)longest_ns / 1e3);
    if (want.task == SWAP) report_swap();
    printf(",\"faults\":{");
    for (int i = 0; i < FAULTS; i++) printf("%s\"%s\":%" PRIu64, i ? "," : "", FAULT_NAMES[i], run.faults[i]);
    printf("},\"first_fault\":\"%s\"}\n", run.first_fault);
    fflush(stdout);
}

/* ---- command line: every number has a bound, so that a slip never floods the machine ---- */

static int choose(const char *what, const char *word, const char *const *words, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(word, words[i])) return i;
    die("%s can't be `%s`", what, word);
    return -1;
}

static double number(const char *name, const char *text, double low, double high) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high)) die("--%s must be %g to %g, not `%s`", name, low, high, text);
    return value;
}

static void add_event(const char *name, bool fleeting) {
    if (want.events == EVENTS || strlen(name) > 128) die("at most %d events with names of at most 128 bytes", EVENTS);
    if (fleeting) want.fleeting = want.events;
    want.event[want.events++] = name;
}

static void read_options(int count, char **words) {
    static const char *const tasks[] = {"calls", "storm", "idle", "swap"}, *const wires[] = {"plugsock", "plain", "socketio"};
    static const struct option options[] = {
        {"port", 1, 0, 'p'},  {"wire", 1, 0, 'w'},    {"path", 1, 0, 'P'},    {"protocol", 1, 0, 's'}, {"connections", 1, 0, 'c'},
        {"depth", 1, 0, 'd'}, {"at-once", 1, 0, 'a'}, {"seconds", 1, 0, 't'}, {"warmup", 1, 0, 'W'},   {"count", 1, 0, 'n'},
        {"event", 1, 0, 'e'}, {"hello", 0, 0, 'h'},   {"fleeting", 1, 0, 'f'}, {"patience", 1, 0, 'l'},
        {"size", 1, 0, 'S'},  {"rate", 1, 0, 'r'},    {0, 0, 0, 0}};
    int option, which;
    while ((option = getopt_long(count, words, "", options, &which)) >= 0) {
        switch (option) {
        case 'p': want.port = (int)number("port", optarg, 1, 65535); break;
        case 'w': want.wire = (Wire)choose("--wire", optarg, wires, 3); break;
        case 'P': want.path = optarg; break;
        case 's': want.protocol = optarg; break;
        case 'c': want.connections = (int)number("connections", optarg, 1, 20000); break;
        case 'd': want.depth = (int)number("depth", optarg, 1, 1024); break;
        case 'a': want.at_once = (int)number("at-once", optarg, 1, 1024); break;
        case 't': want.seconds = number("seconds", optarg, 0.01, 600); break;
        case 'W': want.warmup_s = number("warmup", optarg, 0, 60); break;
        case 'l': want.patience_s = number("patience", optarg, 0.01, 60); break;
        case 'S': want.size = (size_t)number("size", optarg, 100, 16 << 20); break;
        case 'r': want.rate = number("rate", optarg, 1, 1e6); break;
        case 'n': want.count = (uint64_t)number("count", optarg, 1, 1e9); break;
        case 'e': add_event(optarg, false); break;
        case 'f': add_event(optarg, true); break;
        case 'h': want.hello = true; break;
        default: exit(2);
        }
    }
    if (optind != count - 1) die("one task is needed: calls, storm, idle or swap");
    want.task = (Task)choose("the task", words[optind], tasks, 4);
}

/* Settles what the options leave open and what does not go together. */
static void check_options(void) {
    if (!want.port) die("--port is needed");
    if (want.hello && want.wire != PLUGSOCK) die("--hello is a word of the plugsock wire");
    if (want.task == SWAP && want.wire != PLUGSOCK) die("swap speaks the plugsock wire only");
    if (want.protocol && strlen(want.protocol) > 100) die("--protocol is too long");
    if (want.rate > 0 && want.task != CALLS) die("--rate is for calls");
    if (!want.events) add_event("bench", false);
    if (want.task == IDLE) {
        want.count = (uint64_t)want.connections;
        want.depth = 1;
        want.warmup_s = 0;
        want.seconds = OPEN_S;
    } else if (want.count) {
        want.seconds = 600;
    }
    for (run.mask = 64; run.mask < 64 * (uint64_t)want.depth;) run.mask *= 2;
    if (want.task == IDLE || want.task == STORM) run.mask = 4;
    run.mask--;
}

static void prepare(void) {
    letters = malloc(want.size + 26);
    message = malloc(want.size + 512);
    expected = malloc(want.size + 1);
    if (!letters || !message || !expected) die("out of memory");
    for (size_t i = 0; i < want.size + 26; i++) letters[i] = (char)('a' + i % 26);
    prctl(PR_SET_TIMERSLACK, 1000ul); /* a call that is due goes out within microseconds */
}

int main(int count, char **words) {
    read_options(count, words);
    check_options();
    prepare();
    connections = calloc((size_t)want.connections, sizeof *connections);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || run.epoll < 0) die("%s", strerror(errno));
    loop();
    if (want.task != IDLE) report();
    for (int i = 0; i < FAULTS; i++)
        if (run.faults[i]) return 1;
    return 0;
}
