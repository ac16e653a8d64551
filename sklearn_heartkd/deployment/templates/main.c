
#ifdef HEARTKD_MAIN
/* heartkd RECORDING.wav: print the probabilities of each window and of the recording. */
#include <stdio.h>

static uint32_t little_endian(const unsigned char *bytes, int n)
{
    uint32_t value = 0;
    while (n--)
        value = value << 8 | bytes[n];
    return value;
}

typedef struct {
    uint32_t format, channels, rate, bits; /* format 1 is PCM, 0 no wav file */
} wav_format;

static int is_taken(const wav_format *found)
{
    return found->format == 1 && found->channels == 1 && found->bits == 16
           && found->rate == HEARTKD_SAMPLING_RATE;
}

/* Go to the samples of a 16-bit mono wav file of the model's rate; return how many bytes there are,
   0 for any other file. */
static uint32_t find_samples(FILE *file, wav_format *found)
{
    unsigned char head[16];
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4))
        return 0;
    while (fread(head, 1, 8, file) == 8) {
        uint32_t size = little_endian(head + 4, 4), n_read = 0;
        if (!memcmp(head, "data", 4))
            return is_taken(found) ? size : 0;
        if (!memcmp(head, "fmt ", 4) && size >= 16) {
            if (fread(head, 1, 16, file) != 16)
                return 0;
            n_read = 16;
            found->format = little_endian(head, 2);
            found->channels = little_endian(head + 2, 2);
            found->rate = little_endian(head + 4, 4);
            found->bits = little_endian(head + 14, 2);
        }
        for (size += size % 2; n_read < size; n_read++)
            if (getc(file) == EOF)
                return 0;
    }
    return 0;
}

static void print_probabilities(const char *name, const float *probabilities)
{
    printf("%s", name);
    for (int k = 0; k < HEARTKD_N_CLASSES; k++)
        printf("\t%s %.7f", heartkd_classes[k], (double)probabilities[k]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static heartkd_state state;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    float probabilities[HEARTKD_N_CLASSES];
    unsigned char bytes[2];
    wav_format found = {0, 0, 0, 0};
    uint32_t n_bytes;
    if (argc != 2) {
        fprintf(stderr, "usage: %s RECORDING.wav\n", argv[0]);
        return 2;
    }
    n_bytes = file ? find_samples(file, &found) : 0;
    heartkd_reset(&state);
    for (; n_bytes >= 2 && fread(bytes, 1, 2, file) == 2; n_bytes -= 2) {
        int32_t value = (int32_t)little_endian(bytes, 2);
        int16_t sample = (int16_t)(value < 32768 ? value : value - 65536);
        heartkd_push(&state, &sample, 1);
        if (state.ready)
            print_probabilities("window", state.probabilities);
    }
    if (file)
        fclose(file);
    if (!heartkd_finish(&state, probabilities)) {
        fprintf(stderr, "%s: not a mono wav file of 16 bit at %d Hz", argv[1], HEARTKD_SAMPLING_RATE);
        if (is_taken(&found))
            fprintf(stderr, " with samples");
        else if (found.format)
            fprintf(stderr, " (found: channels %lu, bits %lu, %lu Hz%s)", (unsigned long)found.channels,
                    (unsigned long)found.bits, (unsigned long)found.rate,
                    found.format == 1 ? "" : ", not PCM");
        fprintf(stderr, "\n");
        return 1;
    }
    print_probabilities("recording", probabilities);
    printf("answer\t%s\n", heartkd_classes[heartkd_decide(probabilities)]);
    return 0;
}
#endif
