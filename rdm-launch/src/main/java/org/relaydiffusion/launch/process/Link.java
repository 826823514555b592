package org.relaydiffusion.launch.process;

/**
 * What ties the launchers of a run on several machines together. Each hears what any other says,
 * and what one says arrives everywhere in the order in which it was said.
 */
interface Link extends AutoCloseable {
  /** For a run on one machine. */
  Link NONE =
      new Link() {
        @Override
        public void send(Message message) {
          // Nobody is there.
        }

        @Override
        public void close() {
          // Nothing is open.
        }
      };

  /** Tells all other launchers. */
  void send(Message message);

  @Override
  void close();
}
