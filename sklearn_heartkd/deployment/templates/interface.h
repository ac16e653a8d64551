/* @TITLE@
   Written by sklearn_heartkd @VERSION@. C99 and its standard library; link with -lm.
   Copyright (c) 2026, the sklearn_heartkd developers. SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEARTKD_H
#define HEARTKD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTKD_SAMPLING_RATE @SAMPLING_RATE@ /* Hz */
#define HEARTKD_WINDOW @WINDOW@ /* samples */
#define HEARTKD_HOP @HOP@ /* samples from one window to the next */
#define HEARTKD_N_CLASSES @N_CLASSES@
#define HEARTKD_N_FFT @N_FFT@
#define HEARTKD_N_MELS @N_MELS@
#define HEARTKD_N_CHANNELS @N_CHANNELS@
#define HEARTKD_N_LAYERS @N_LAYERS@
#define HEARTKD_N_MAPS @N_MAPS@
#define HEARTKD_N_WORK @N_WORK@
#define HEARTKD_N_LAGS @N_LAGS@ /* of the autocorrelation; 0 without it */

/* All memory there is; one for each stream, owned by the caller. */
typedef struct {
    uint64_t n_seen; /* samples since the last reset */
    uint64_t next_end; /* of the next window, in samples since the last reset */
    uint32_t n_windows;
    int ready; /* whether the last push completed a window */
    float probabilities[HEARTKD_N_CLASSES]; /* of the last window */
    float sums[HEARTKD_N_CLASSES];
    float mean, gain; /* of the window, to standardize it */
    float floor; /* the smallest power that counts */
    float real[HEARTKD_N_FFT], imaginary[HEARTKD_N_FFT];
    float power[HEARTKD_N_MELS], column[HEARTKD_N_CHANNELS];
    float channel_mean[@N_NORMALIZED@], channel_gain[@N_NORMALIZED@]; /* for CMVN, autocorrelation */
    float recent[@N_PRODUCTS@], products[@N_PRODUCTS@]; /* for the autocorrelation: columns, lag sums */
    float embedding[2 * HEARTKD_N_MAPS]; /* mean and maximum of each map */
    int32_t n_steps; /* columns that went into the embedding */
    int32_t n_columns[HEARTKD_N_LAYERS], n_emitted[HEARTKD_N_LAYERS];
    float work[HEARTKD_N_WORK];
    int16_t samples[HEARTKD_WINDOW]; /* a ring */
} heartkd_state;

/* Names of the classes in UTF-8, in the order of the probabilities. */
extern const char *const heartkd_classes[HEARTKD_N_CLASSES];

/* Begin a recording. */
void heartkd_reset(heartkd_state *state);

/* Take samples, at most as many as complete a window; return how many were taken. If
   `state->ready` then, `state->probabilities` are those of the window. */
size_t heartkd_push(heartkd_state *state, const int16_t *samples, size_t n_samples);

/* End the recording, and write the mean probabilities of its windows. The last window ends with
   the recording; a recording shorter than a window is looped. Return 0 if there were no samples,
   else 1. The state is reset. */
int heartkd_finish(heartkd_state *state, float *probabilities);

/* Return the index of the class that is the answer: the most probable one or, with a threshold, one of
   two classes. */
int heartkd_decide(const float *probabilities);

#ifdef __cplusplus
}
#endif

#endif
