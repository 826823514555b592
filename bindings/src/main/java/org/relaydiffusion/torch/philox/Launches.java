// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.philox;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Launches that are computed together, on several threads of the CPU.
 *
 * @param launches what is drawn
 * @param memory the elements of each launch
 */
public record Launches(List<Launch> launches, List<MemorySegment> memory) {
  /**
   * Computes all elements. They do not depend on the number of threads.
   *
   * @param threads at most so many threads compute, this one included
   */
  public void compute(int threads) {
    int[] begin = new int[launches.size() + 1];
    for (int i = 0; i < launches.size(); i++) {
      begin[i + 1] = Math.addExact(begin[i], launches.get(i).pieces());
    }
    int pieces = begin[launches.size()];
    AtomicInteger next = new AtomicInteger();
    Runnable work =
        () -> {
          int launch = 0;
          for (int p = next.getAndIncrement(); p < pieces; p = next.getAndIncrement()) {
            while (p >= begin[launch + 1]) {
              launch++;
            }
            launches.get(launch).compute(p - begin[launch], memory.get(launch));
          }
        };
    int workers = Math.min(threads, pieces);
    if (workers <= 1) {
      work.run();
    } else {
      ForkJoinTask.invokeAll(Stream.generate(() -> new Action(work)).limit(workers).toList());
    }
  }

  private static final class Action extends RecursiveAction {
    private static final long serialVersionUID = 1L;

    private final transient Runnable work;

    private Action(Runnable work) {
      this.work = work;
    }

    @Override
    protected void compute() {
      work.run();
    }
  }
}
