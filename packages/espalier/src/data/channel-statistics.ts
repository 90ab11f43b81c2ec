/** Mean and standard deviation of each channel, of pixels scaled to [0, 1]. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  readonly standardDeviation: Float64Array;
}
