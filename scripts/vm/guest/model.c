/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the outside, and their answers, from inside the guest.
 *
 *     model TEXT...    one control line for the device model
 *     host TEXT...     for scripts/vm/machine.py: unplug, plug, link PORT up|down, qmp COMMAND [JSON]
 *
 * One program of two names. The name and the words go as one line over a serial port to machine.py,
 * which answers with one line: '=' and the reply, or '!' and what went wrong.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

static const char *const kChannel = "/dev/ttyS2";

static int complain(const char *what)
{
	fprintf(stderr, "model: ");
	perror(what);
	return 2;
}

static int send_all(int channel, const char *text, size_t length)
{
	while (length) {
		ssize_t done = write(channel, text, length);

		if (done < 0)
			return -1;
		text += done;
		length -= done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char line[65536];
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	struct termios settings;
	size_t length;
	int channel;
	char kind;

	if (argc < 2) {
		fprintf(stderr, "usage: model objects | model help | model TEXT... | host TEXT...\n");
		return 2;
	}
	length = snprintf(line, sizeof(line), "%s", name);
	for (int i = 1; i < argc && length < sizeof(line); i++)
		length += snprintf(line + length, sizeof(line) - length, " %s", argv[i]);
	if (length >= sizeof(line) - 1) {
		fprintf(stderr, "%s: too long\n", name);
		return 2;
	}

	channel = open(kChannel, O_RDWR | O_NOCTTY);
	if (channel < 0)
		return complain(kChannel);
	/* Callers take turns, or they would read each other's answers. */
	if (flock(channel, LOCK_EX))
		return complain("flock");
	if (tcgetattr(channel, &settings))
		return complain(kChannel);
	cfmakeraw(&settings);
	if (tcsetattr(channel, TCSANOW, &settings))
		return complain(kChannel);

	line[length++] = '\n';
	if (send_all(channel, line, length))
		return complain(kChannel);

	length = 0;
	do {
		ssize_t got = read(channel, line + length, sizeof(line) - length);

		if (got <= 0)
			return complain("no answer");
		length += got;
	} while (line[length - 1] != '\n' && length < sizeof(line));

	kind = line[0];
	if (length > 2)
		fwrite(line + 1, 1, length - 1, kind == '=' ? stdout : stderr);
	return kind == '=' ? 0 : 1;
}
