// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.OptionalLong;
import org.relaydiffusion.RdmException;

/**
 * Everything known about one set of images, which {@link Metrics} compares with another: its
 * activations, or only their moments. {@link ActivationsFile} reads it from a file, {@link
 * ActivationCollector} computes it from images.
 */
public interface ActivationSet extends AutoCloseable {
  /** Returns the name used in messages: a file, or the source of the images. */
  String name();

  /** Returns the number of images, if known. */
  OptionalLong count();

  /** Returns whether the activations themselves are available. */
  boolean hasActivations(Feature feature);

  /** Returns whether there are moments, or activations to compute them from. */
  boolean hasMoments(Feature feature);

  /**
   * Returns D, the number of features per image.
   *
   * @param feature the kind of features
   * @param purpose what the moments are needed for, such as {@code sFID}, for the message
   * @throws RdmException saying what is missing, if there are not even moments
   */
  long dimensions(Feature feature, String purpose);

  /**
   * Returns the activations, valid until this object is closed. NaN and infinite elements are
   * errors when their rows are read.
   *
   * @param feature the kind of features
   * @param purpose what they are needed for, such as {@code precision and recall}, for the message
   * @throws RdmException saying what is missing
   */
  Activations activations(Feature feature, String purpose);

  /**
   * Returns mean and covariance, stored or computed in one pass over the activations.
   *
   * @param feature the kind of features
   * @param purpose what they are needed for, such as {@code sFID}, for the message
   * @param work how they are computed
   * @return the moments, which the caller closes
   * @throws RdmException saying what is missing, or that there are fewer than 2 images
   */
  Moments moments(Feature feature, String purpose, WorkOptions work);

  @Override
  void close();

  /**
   * Returns a set with given pool features.
   *
   * @param pool in memory ({@link Activations#of}) or from any source; remains owned by the caller,
   *     and its name is that of the set
   */
  static ActivationSet of(Activations pool) {
    return new GivenActivations(pool, Optional.empty());
  }

  /**
   * Returns a set with given features of both kinds, which remain owned by the caller.
   *
   * @throws RdmException if their numbers of images differ
   */
  static ActivationSet of(Activations pool, Activations spatial) {
    return new GivenActivations(pool, Optional.of(spatial));
  }
}
