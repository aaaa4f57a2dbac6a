// An app's life: it goes to the background, is frozen there, and may never come back.

import Foundation

#if canImport(UIKit) && !os(watchOS)
import UIKit
#endif

extension Engine {
    /// Has the exporters keep what they are given from now on, while a network is paid by the byte, or lets it go again.
    /// What waits stays within the memory that the engine may use, and what no longer fits is dropped and counted. A flush
    /// and the shutdown send what there is all the same.
    public func hold(_ held: Bool) {
        recorder.isHeld.with {
            $0 = held
            recorder.engine.hold(held: held)
        }
    }
}

extension Polyspan {
    /// To be called when the app goes to the background: hands over everything and waits at most as long as the system
    /// grants. What is not delivered by then goes on when the app does, and what is held for another network (`hold`) stays
    /// held. Blocks: call it where waiting is allowed.
    ///
    /// - Parameter granted: seconds; iOS gives an app about five without a background task.
    /// - Returns: whether everything was delivered.
    @discardableResult
    public static func didEnterBackground(granted: TimeInterval = 4) -> Bool {
        // A system that grants as much as is wanted says so by the largest number there is.
        let delivered: Void? = try? each(min(max(0, granted), longestTimeout)) { engine, left in
            guard engine.recorder.isHeld.with({ $0 }) else { return try engine.flush(timeout: left) }
            if engine.stats().pending > 0 { throw Held() }
        }
        return delivered != nil
    }

    /// Spans wait for another network.
    private struct Held: Error {}

    #if canImport(UIKit) && !os(watchOS)
    /// Flushes by itself each time the app goes to the background, in a background task of its own.
    @MainActor
    public static func followLifecycle() {
        NotificationCenter.default.addObserver(
            forName: UIApplication.didEnterBackgroundNotification, object: nil, queue: .main
        ) { _ in
            MainActor.assumeIsolated {
                let application = UIApplication.shared
                var task = UIBackgroundTaskIdentifier.invalid
                task = application.beginBackgroundTask(withName: "polyspan") { application.endBackgroundTask(task) }
                let granted = min(25, application.backgroundTimeRemaining - 2)
                let own = task
                Task.detached {
                    didEnterBackground(granted: granted)
                    await application.endBackgroundTask(own)
                }
            }
        }
    }
    #endif
}
