/* The smallest SMTP sink that is still one: it takes every message, keeps none, and costs little. For measuring senders.
 *
 *     sink [DELAY_MS]
 *
 * Listens on a free port of the loopback, prints that port, and on SIGTERM the number of messages taken. DELAY_MS holds
 * every answer back by that long from the moment its command came, as a network between would: commands that come
 * together are answered together. One thread.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 17, MOST_FDS = 4096, MOST_REPLIES = 1 << 16, LONGEST_REPLY = 512 };

static const char END[] = "\r\n.\r\n";

struct client {
    int number;      /* tells a client from an earlier one on the same descriptor */
    int in_body;
    size_t length;   /* of what waits in `input` */
    char input[ROOM];
};

struct reply {
    long due; /* microseconds */
    int fd, number, closes;
    size_t length;
    char text[LONGEST_REPLY];
};

static struct client *clients[MOST_FDS];
static struct reply *held; /* a ring: with one delay for all, the first to come is the first to go */
static size_t held_first, held_next;
static long delay, taken;
static volatile sig_atomic_t over;

static void stop(int signal_number) {
    (void)signal_number;
    over = 1;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000L + at.tv_nsec / 1000;
}

static void part(int fd) {
    free(clients[fd]);
    clients[fd] = NULL;
    close(fd);
}

static void send_now(int fd, const char *text, size_t length, int closes) {
    if (write(fd, text, length) != (ssize_t)length || closes)
        part(fd);
}

static void answer(int fd, const char *text, size_t length, int closes) {
    if (delay == 0) {
        send_now(fd, text, length, closes);
        return;
    }
    if (held_next - held_first == MOST_REPLIES) {
        fputs("sink: too many answers are held back\n", stderr);
        exit(1);
    }
    struct reply *reply = &held[held_next++ % MOST_REPLIES];
    *reply = (struct reply){.due = now() + delay, .fd = fd, .number = clients[fd]->number, .closes = closes, .length = length};
    memcpy(reply->text, text, length);
}

static void release(void) {
    while (held_first < held_next && held[held_first % MOST_REPLIES].due <= now()) {
        struct reply *reply = &held[held_first++ % MOST_REPLIES];
        struct client *client = clients[reply->fd];
        if (client != NULL && client->number == reply->number)
            send_now(reply->fd, reply->text, reply->length, reply->closes);
    }
}

static int milliseconds_to_next(void) {
    if (held_first == held_next)
        return -1;
    long left = held[held_first % MOST_REPLIES].due - now();
    return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

static const char *reply_to(struct client *client, const char *command, int *closes) {
    if (strncasecmp(command, "MAIL", 4) == 0 || strncasecmp(command, "RCPT", 4) == 0)
        return "250 2.1.0 Ok\r\n";
    if (strncasecmp(command, "DATA", 4) == 0) {
        client->in_body = 1;
        return "354 End data with <CR><LF>.<CR><LF>\r\n";
    }
    if (strncasecmp(command, "EHLO", 4) == 0)
        return "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
    *closes = strncasecmp(command, "QUIT", 4) == 0;
    return *closes ? "221 2.0.0 Bye\r\n" : "250 2.0.0 Ok\r\n";
}

/* Pass over what is there of a body; return how much, with its end when that is there too. */
static size_t body(struct client *client, const char *at, size_t left, int *ended) {
    const char *end = memmem(at, left, END, sizeof END - 1);
    *ended = end != NULL;
    if (*ended) {
        client->in_body = 0;
        taken++;
        return (size_t)(end - at) + sizeof END - 1;
    }
    return left < sizeof END ? 0 : left - (sizeof END - 2); /* the end may be cut in two */
}

/* Answer what is there; return whether there is more than fits into one answer. */
static int hear(int fd) {
    struct client *client = clients[fd];
    char replies[LONGEST_REPLY];
    size_t done = 0, length = 0;
    int closes = 0, full = 0;
    while (done < client->length && !closes && !(full = length >= LONGEST_REPLY - 160)) {
        const char *at = client->input + done, *reply;
        size_t left = client->length - done;
        if (client->in_body) {
            int ended;
            done += body(client, at, left, &ended);
            if (!ended)
                break;
            reply = "250 2.0.0 Ok: taken and thrown away\r\n";
        } else {
            const char *end = memchr(at, '\n', left);
            if (end == NULL)
                break;
            done += (size_t)(end - at) + 1;
            reply = reply_to(client, at, &closes);
        }
        length += (size_t)sprintf(replies + length, "%s", reply);
    }
    client->length -= done;
    memmove(client->input, client->input + done, client->length);
    if (length > 0)
        answer(fd, replies, length, closes);
    return full;
}

static void welcome(int listener, int poll) {
    static int number;
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MOST_FDS || (clients[fd] = malloc(sizeof **clients)) == NULL) {
            close(fd);
            continue;
        }
        clients[fd]->number = ++number;
        clients[fd]->in_body = 0;
        clients[fd]->length = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted);
        answer(fd, "220 sink ESMTP\r\n", 16, 0);
    }
}

static void read_from(int fd) {
    struct client *client = clients[fd];
    if (client == NULL)
        return;
    ssize_t got = read(fd, client->input + client->length, ROOM - client->length);
    if (got > 0) {
        client->length += (size_t)got;
        while (clients[fd] == client && hear(fd))
            ;
    } else if (got == 0 || errno != EAGAIN) {
        part(fd);
    }
}

static int listen_anywhere(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1024) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("sink");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count, char **words) {
    delay = count > 1 ? atol(words[1]) * 1000 : 0;
    held = malloc(sizeof *held * MOST_REPLIES);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    int listener = listen_anywhere(), poll = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listener}, events[256];
    if (held == NULL || poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted) < 0)
        fail("sink");
    while (!over) {
        int some = epoll_wait(poll, events, 256, milliseconds_to_next());
        release();
        for (int event = 0; event < some; event++) {
            if (events[event].data.fd == listener)
                welcome(listener, poll);
            else
                read_from(events[event].data.fd);
        }
    }
    printf("%ld\n", taken);
    return 0;
}
