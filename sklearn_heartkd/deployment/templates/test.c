
/* Recordings and the predictions of Python: a test of the code on the device. Returns 0 if all
   probabilities agree within 1e-5. Written by sklearn_heartkd @VERSION@. */
#include <math.h>
#include <stdio.h>

#define N_RECORDINGS @N_RECORDINGS@
@TABLES@
int main(void)
{
    static heartkd_state state;
    const int16_t *samples = recordings;
    float worst = 0.0f;
    for (int i = 0; i < N_RECORDINGS; i++) {
        float probabilities[HEARTKD_N_CLASSES];
        size_t left = lengths[i], chunk = 1;
        heartkd_reset(&state);
        while (left) {
            size_t n_taken = heartkd_push(&state, samples, chunk < left ? chunk : left);
            samples += n_taken;
            left -= n_taken;
            chunk = chunk * 7 % 1009;
        }
        if (!heartkd_finish(&state, probabilities))
            return 1;
        for (int k = 0; k < HEARTKD_N_CLASSES; k++)
            worst = fmaxf(worst, fabsf(probabilities[k] - expected[i][k]));
    }
    printf("%d recordings, largest difference %.1e\n", N_RECORDINGS, (double)worst);
    return worst <= 1e-5f ? 0 : 1;
}
