package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.OptionalLong;
import org.relaydiffusion.RdmException;

/**
 * What is known of one set of images, which {@link Metrics} compares with another: their
 * activations, or no more than the moments of these. {@link ActivationsFile} reads it from a file,
 * {@link ActivationCollector} gathers it from images.
 */
public interface ActivationSet extends AutoCloseable {
  /** What messages call it: a file, or where the images come from. */
  String name();

  /** The number of images, where it is known. */
  OptionalLong count();

  /** Whether the activations themselves are there. */
  boolean hasActivations(Feature feature);

  /** Whether there are moments, or activations to compute them from. */
  boolean hasMoments(Feature feature);

  /**
   * D, the length of one image's features.
   *
   * @param purpose what the moments are for, such as {@code sFID}, for the message
   * @throws RdmException saying what is lacking, where there are not even moments
   */
  long dimensions(Feature feature, String purpose);

  /**
   * The activations, valid until this is closed. NaN and infinite elements are errors when their
   * rows are read.
   *
   * @param purpose what they are for, such as {@code precision and recall}, for the message
   * @throws RdmException saying what is lacking
   */
  Activations activations(Feature feature, String purpose);

  /**
   * Mean and covariance: known already, or computed in one pass over the activations.
   *
   * @param purpose what they are for, such as {@code sFID}, for the message
   * @return the caller closes it
   * @throws RdmException saying what is lacking, or that there are fewer than 2 images
   */
  Moments moments(Feature feature, String purpose, WorkOptions work);

  @Override
  void close();

  /**
   * A set whose pool features are given.
   *
   * @param pool in memory ({@link Activations#of}) or from anywhere; stays the caller's, and its
   *     name is the set's
   */
  static ActivationSet of(Activations pool) {
    return new GivenActivations(pool, Optional.empty());
  }

  /**
   * A set whose features of both kinds are given, which stay the caller's.
   *
   * @throws RdmException when they are of different numbers of images
   */
  static ActivationSet of(Activations pool, Activations spatial) {
    return new GivenActivations(pool, Optional.of(spatial));
  }
}
