/* Front end: the mel powers of one frame. */

/* The samples lie in a ring, which begins at `oldest`. */
static float sample_at(const heartkd_state *state, uint32_t oldest, uint32_t i)
{
    float sample = (float)state->samples[(oldest + i) % HEARTKD_WINDOW] / 32768.0f;
    return (sample - state->mean) * state->gain;
}

/* Sums of integers are exact, so that the mean of a loud offset does not cancel the sound. */
static void measure_window(heartkd_state *state)
{
#if HEARTKD_NORMALIZE
    int64_t sum = 0, squares = 0;
    double mean, variance, std;
    for (uint32_t i = 0; i < HEARTKD_WINDOW; i++) {
        sum += state->samples[i];
        squares += (int32_t)state->samples[i] * state->samples[i];
    }
    mean = (double)sum / HEARTKD_WINDOW;
    variance = (double)squares / HEARTKD_WINDOW - mean * mean;
    std = variance > 0 ? sqrt(variance) : 0;
    state->mean = (float)(mean / 32768);
    /* a constant recording becomes zeros */
    state->gain = std > 32 * (double)FLT_EPSILON * fabs(mean) ? (float)(32768 / std) : 0.0f;
#else
    state->mean = 0.0f;
    state->gain = 1.0f;
#endif
}

#if HEARTKD_RADIX_2
/* Fast Fourier transform in place: first the samples are put in the order of their reversed bits, then
   transforms of two halves are joined, and the halves double until there is one. */
static void transform(float *real, float *imaginary)
{
    for (uint32_t i = 1, j = 0; i < HEARTKD_N_FFT; i++) {
        uint32_t bit = HEARTKD_N_FFT >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) { /* the imaginary parts are still zero */
            float swapped = real[i];
            real[i] = real[j];
            real[j] = swapped;
        }
    }
    for (uint32_t half = 1; half < HEARTKD_N_FFT; half *= 2) {
        uint32_t step = HEARTKD_N_FFT / (2 * half);
        for (uint32_t k = 0; k < half; k++) {
            float c = heartkd_cosine[k * step];
            /* the sine is the cosine three quarters of a turn later: one table serves both */
            float s = -heartkd_cosine[(k * step + 3 * HEARTKD_N_FFT / 4) % HEARTKD_N_FFT];
            for (uint32_t a = k; a < HEARTKD_N_FFT; a += 2 * half) {
                uint32_t b = a + half;
                float r = c * real[b] - s * imaginary[b], i = c * imaginary[b] + s * real[b];
                real[b] = real[a] - r;
                imaginary[b] = imaginary[a] - i;
                real[a] += r;
                imaginary[a] += i;
            }
        }
    }
}
#endif

static void mel_powers(heartkd_state *state, uint32_t oldest, uint32_t frame)
{
    uint32_t start = frame * HEARTKD_HOP_LENGTH;
    const float *weight = heartkd_mel_weights;
    for (uint32_t i = 0; i < HEARTKD_N_FFT; i++) {
        state->real[i] = sample_at(state, oldest, (start + i) % HEARTKD_WINDOW) * heartkd_window[i];
        state->imaginary[i] = 0.0f;
    }
#if HEARTKD_RADIX_2
    transform(state->real, state->imaginary);
    for (uint32_t k = 0; k <= HEARTKD_N_FFT / 2; k++)
        state->real[k] =
            state->real[k] * state->real[k] + state->imaginary[k] * state->imaginary[k];
#else
    for (uint32_t k = HEARTKD_FIRST_BIN; k <= HEARTKD_LAST_BIN; k++) {
        float r = 0.0f, s = 0.0f;
        for (uint32_t i = 0; i < HEARTKD_N_FFT; i++) {
            r += state->real[i] * heartkd_cosine[k * i % HEARTKD_N_FFT];
            s += state->real[i] * heartkd_sine[k * i % HEARTKD_N_FFT];
        }
        state->imaginary[k] = r * r + s * s;
    }
    memcpy(state->real, state->imaginary, sizeof state->real);
#endif
    /* a filter is a triangle over few bins: only its weights that are not 0 are stored */
    for (uint32_t m = 0; m < HEARTKD_N_MELS; m++) {
        float power = 0.0f;
        for (uint32_t k = 0; k < heartkd_mel_count[m]; k++)
            power += *weight++ * state->real[heartkd_mel_first[m] + k];
        state->power[m] = power;
    }
}

/* Logarithm, DCT, CMVN and the standardization of the network, whose factors are in the tables. */
static void frame_to_column(heartkd_state *state)
{
    for (uint32_t m = 0; m < HEARTKD_N_MELS; m++)
        state->power[m] = logf(fmaxf(state->power[m], state->floor));
    for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++) {
#if HEARTKD_DCT
        float sum = 0.0f;
        for (uint32_t m = 0; m < HEARTKD_N_MELS; m++)
            sum += heartkd_dct[c * HEARTKD_N_MELS + m] * state->power[m];
#else
        float sum = heartkd_decibels[c] * state->power[c];
#endif
#if HEARTKD_CMVN || HEARTKD_N_LAGS
        state->column[c] = sum;
#else
        state->column[c] = sum + heartkd_offset[c];
#endif
    }
}

#if HEARTKD_CMVN || HEARTKD_N_LAGS
/* Mean and deviation of each channel over the frames, updated frame by frame (Welford). */
static void measure_channels(heartkd_state *state, uint32_t oldest)
{
    memset(state->channel_mean, 0, sizeof state->channel_mean);
    memset(state->channel_gain, 0, sizeof state->channel_gain);
    for (uint32_t frame = 0; frame < HEARTKD_N_FRAMES; frame++) {
        mel_powers(state, oldest, frame);
        frame_to_column(state);
        for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++) {
            float before = state->column[c] - state->channel_mean[c];
            state->channel_mean[c] += before / (float)(frame + 1);
            state->channel_gain[c] += before * (state->column[c] - state->channel_mean[c]);
        }
    }
    for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++) {
        float deviation = sqrtf(state->channel_gain[c] / HEARTKD_N_FRAMES);
        state->channel_gain[c] = heartkd_scale[c] / (deviation + 1.0f);
    }
}
#endif

#if HEARTKD_N_LAGS
/* Sums over time of the products of each channel, less its mean, with itself 0 to N_LAGS frames earlier.
   A ring keeps the last columns, so that no more of them are in memory. */
static void correlate_channels(heartkd_state *state, uint32_t oldest)
{
    memset(state->products, 0, sizeof state->products);
    for (uint32_t frame = 0; frame < HEARTKD_N_FRAMES; frame++) {
        float *newest = state->recent + frame % (HEARTKD_N_LAGS + 1) * HEARTKD_N_CHANNELS;
        mel_powers(state, oldest, frame);
        frame_to_column(state);
        for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++)
            newest[c] = state->column[c] - state->channel_mean[c];
        for (uint32_t lag = 0; lag <= HEARTKD_N_LAGS && lag <= frame; lag++) {
            uint32_t place = (frame - lag) % (HEARTKD_N_LAGS + 1);
            for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++)
                state->products[lag * HEARTKD_N_CHANNELS + c] +=
                    newest[c] * state->recent[place * HEARTKD_N_CHANNELS + c];
        }
    }
}

/* Autocorrelation at one lag; above half of the window there are too few products. */
static void lag_to_column(heartkd_state *state, uint32_t lag)
{
    for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++) {
        float value = 0.0f, variance = state->products[c] / HEARTKD_N_FRAMES;
        if (2 * lag <= HEARTKD_N_FRAMES)
            value = state->products[lag * HEARTKD_N_CHANNELS + c] / (float)(HEARTKD_N_FRAMES - lag)
                    / (variance + 1.0f);
        state->column[c] = value * heartkd_scale[c] + heartkd_offset[c];
    }
}
#elif HEARTKD_CMVN
static void normalize_column(heartkd_state *state)
{
    for (uint32_t c = 0; c < HEARTKD_N_CHANNELS; c++)
        state->column[c] = (state->column[c] - state->channel_mean[c]) * state->channel_gain[c]
                           + heartkd_offset[c];
}
#endif

/* Network: columns (n_maps x n_rows) go through the layers one after another, and each layer keeps
   as many of them as its kernel is wide. */

static void push_column(heartkd_state *state, uint32_t number, const float *column);

/* Weights are read once, in the order in which they are stored; the inner loop runs along a row of
   the image, where memory is contiguous. Columns outside the image count as 0. */
static void convolve(const heartkd_layer *layer, const float *ring, int32_t first, int32_t n_columns,
                     float *out)
{
    int32_t n_group_in = layer->n_in / layer->n_groups, n_group_out = layer->n_out / layer->n_groups;
    const float *weight = layer->weights;
    for (int32_t o = 0; o < layer->n_out; o++) {
        float *target = out + o * layer->n_rows_out;
        for (int32_t r = 0; r < layer->n_rows_out; r++)
            target[r] = layer->bias[o];
        for (int32_t c = 0; c < n_group_in; c++) {
            int32_t map = o / n_group_out * n_group_in + c;
            for (int32_t y = 0; y < layer->kernel_rows; y++) {
                /* the rows of the output for which this row of the kernel lies in the image */
                int32_t shift = y - layer->pad_rows, begin = 0, end = layer->n_rows_out;
                while (begin * layer->stride_rows + shift < 0)
                    begin++;
                while (end > begin && (end - 1) * layer->stride_rows + shift >= layer->n_rows_in)
                    end--;
                for (int32_t x = 0; x < layer->kernel_columns; x++) {
                    float w = *weight++;
                    int32_t at = first + x;
                    const float *source;
                    if (at < 0 || at >= n_columns)
                        continue;
                    source = ring + (at % layer->kernel_columns * layer->n_in + map) * layer->n_rows_in;
                    for (int32_t r = begin; r < end; r++)
                        target[r] += w * source[r * layer->stride_rows + shift];
                }
            }
        }
        if (layer->relu)
            for (int32_t r = 0; r < layer->n_rows_out; r++)
                target[r] = fmaxf(target[r], 0.0f);
    }
}

/* Largest value of each cell; what lies outside the image does not count. */
static void pool(const heartkd_layer *layer, const float *ring, int32_t first, int32_t n_columns,
                 float *out)
{
    for (int32_t c = 0; c < layer->n_out; c++)
        for (int32_t r = 0; r < layer->n_rows_out; r++) {
            float largest = -FLT_MAX;
            for (int32_t x = 0; x < layer->kernel_columns; x++)
                for (int32_t y = 0; y < layer->kernel_rows; y++) {
                    int32_t at = first + x, row = r * layer->stride_rows - layer->pad_rows + y;
                    if (at >= 0 && at < n_columns && row >= 0 && row < layer->n_rows_in)
                        largest = fmaxf(largest, ring[(at % layer->kernel_columns * layer->n_in + c)
                                                          * layer->n_rows_in + row]);
                }
            *out++ = largest;
        }
}

/* Compute all columns of a layer whose inputs are there, and pass them on at once; after the last
   column, compute the rest, which reaches into the padding. */
static void emit_columns(heartkd_state *state, uint32_t number, int is_last)
{
    const heartkd_layer *layer = &heartkd_layers[number];
    int32_t n_columns = state->n_columns[number];
    for (;;) {
        int32_t first = state->n_emitted[number] * layer->stride_columns - layer->pad_columns;
        int32_t end = first + layer->kernel_columns;
        float *out = state->work + layer->out;
        if (!is_last && end > n_columns)
            return;
        if (is_last && (layer->ceil_mode ? first >= n_columns : end > n_columns + layer->pad_columns))
            return;
        if (layer->is_pool)
            pool(layer, state->work + layer->ring, first, n_columns, out);
        else
            convolve(layer, state->work + layer->ring, first, n_columns, out);
        state->n_emitted[number]++;
        push_column(state, number + 1, out);
    }
}

/* The embedding has the mean and the maximum over time of each map, averaged over its rows. */
static void add_to_embedding(heartkd_state *state, const float *column)
{
    for (uint32_t c = 0; c < HEARTKD_N_MAPS; c++) {
        float mean = 0.0f, *sum = &state->embedding[c], *largest = sum + HEARTKD_N_MAPS;
        for (uint32_t r = 0; r < HEARTKD_N_ROWS; r++)
            mean += *column++;
        mean /= HEARTKD_N_ROWS;
        *largest = state->n_steps ? fmaxf(*largest, mean) : mean;
        *sum = state->n_steps ? *sum + mean : mean;
    }
    state->n_steps++;
}

/* Give a column to a layer, or to the embedding behind the last one. Calls go as deep as there are
   layers, through emit_columns. */
static void push_column(heartkd_state *state, uint32_t number, const float *column)
{
    const heartkd_layer *layer = &heartkd_layers[number];
    size_t size;
    if (number == HEARTKD_N_LAYERS) {
        add_to_embedding(state, column);
        return;
    }
    size = (size_t)layer->n_in * (size_t)layer->n_rows_in;
    memcpy(state->work + layer->ring + (size_t)(state->n_columns[number] % layer->kernel_columns) * size,
           column, size * sizeof *column);
    state->n_columns[number]++;
    emit_columns(state, number, 0);
}

/* Decision: from the embedding to the probabilities. */

#if HEARTKD_N_REFINEMENTS
/* Add the probabilities of the nearest cluster; `table` already has their share. */
static void refine(heartkd_state *state, const float *centers, const float *table,
                   uint32_t n_clusters, float own)
{
    uint32_t nearest = 0;
    float smallest = FLT_MAX;
    for (uint32_t i = 0; i < n_clusters; i++) {
        float distance = 0.0f;
        for (uint32_t c = 0; c < 2 * HEARTKD_N_MAPS; c++) {
            float difference = state->embedding[c] - centers[i * 2 * HEARTKD_N_MAPS + c];
            distance += difference * difference;
        }
        if (distance < smallest) {
            smallest = distance;
            nearest = i;
        }
    }
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++)
        state->probabilities[k] =
            own * state->probabilities[k] + table[nearest * HEARTKD_N_CLASSES + k];
}
#endif

static void classify(heartkd_state *state)
{
    float *p = state->probabilities, largest = -FLT_MAX, sum = 0.0f;
    for (uint32_t c = 0; c < HEARTKD_N_MAPS; c++)
        state->embedding[c] /= (float)state->n_steps;
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++) {
        p[k] = heartkd_head_bias[k];
        for (uint32_t c = 0; c < 2 * HEARTKD_N_MAPS; c++)
            p[k] += heartkd_head[k * 2 * HEARTKD_N_MAPS + c] * state->embedding[c];
        largest = fmaxf(largest, p[k]);
    }
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++) {
        p[k] = expf(p[k] - largest); /* at most 1: no overflow */
        sum += p[k];
    }
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++)
        p[k] /= sum;
@REFINE@}

/* From the samples of a window to its probabilities. Limiting the dynamic range needs the loudest
   power first, CMVN and the autocorrelation the means, so the frames are computed once more for each of
   these: that takes time, but no memory for all of them. */
static void analyze_window(heartkd_state *state)
{
    uint32_t oldest = (uint32_t)(state->n_seen % HEARTKD_WINDOW);
    if (state->n_seen < HEARTKD_WINDOW)
        oldest = 0; /* looped */
    measure_window(state);
    state->floor = HEARTKD_AMIN;
#if HEARTKD_HAS_TOP_DB
    for (uint32_t frame = 0; frame < HEARTKD_N_FRAMES; frame++) {
        mel_powers(state, oldest, frame);
        for (uint32_t m = 0; m < HEARTKD_N_MELS; m++)
            state->floor = fmaxf(state->floor, state->power[m]);
    }
    state->floor = fmaxf(HEARTKD_AMIN, state->floor * HEARTKD_DYNAMIC_RANGE);
#endif
#if HEARTKD_CMVN || HEARTKD_N_LAGS
    measure_channels(state, oldest);
#endif
    memset(state->n_columns, 0, sizeof state->n_columns);
    memset(state->n_emitted, 0, sizeof state->n_emitted);
    state->n_steps = 0;
#if HEARTKD_N_LAGS
    correlate_channels(state, oldest);
    for (uint32_t lag = 1; lag <= HEARTKD_N_LAGS; lag++) {
        lag_to_column(state, lag);
        push_column(state, 0, state->column);
    }
#else
    for (uint32_t frame = 0; frame < HEARTKD_N_FRAMES; frame++) {
        mel_powers(state, oldest, frame);
        frame_to_column(state);
#if HEARTKD_CMVN
        normalize_column(state);
#endif
        push_column(state, 0, state->column);
    }
#endif
    for (uint32_t number = 0; number < HEARTKD_N_LAYERS; number++)
        emit_columns(state, number, 1);
    classify(state);
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++)
        state->sums[k] += state->probabilities[k];
    state->n_windows++;
}

void heartkd_reset(heartkd_state *state)
{
    memset(state, 0, sizeof *state);
    state->next_end = HEARTKD_WINDOW;
}

size_t heartkd_push(heartkd_state *state, const int16_t *samples, size_t n_samples)
{
    size_t n_taken = 0;
    state->ready = 0;
    while (n_taken < n_samples && !state->ready) {
        state->samples[state->n_seen % HEARTKD_WINDOW] = samples[n_taken++];
        if (++state->n_seen == state->next_end) {
            analyze_window(state);
            state->next_end += HEARTKD_HOP;
            state->ready = 1;
        }
    }
    return n_taken;
}

int heartkd_finish(heartkd_state *state, float *probabilities)
{
    uint64_t n_seen = state->n_seen;
    if (n_seen == 0)
        return 0;
    if (n_seen < HEARTKD_WINDOW) /* loop a short recording */
        for (uint32_t i = (uint32_t)n_seen; i < HEARTKD_WINDOW; i++)
            state->samples[i] = state->samples[i - n_seen];
    /* samples behind the last window: one more window, which ends with them */
    if (state->n_windows == 0 || state->next_end - HEARTKD_HOP < n_seen)
        analyze_window(state);
    for (uint32_t k = 0; k < HEARTKD_N_CLASSES; k++)
        probabilities[k] = state->sums[k] / (float)state->n_windows;
    heartkd_reset(state);
    return 1;
}

int heartkd_decide(const float *probabilities)
{
@DECIDE@}
