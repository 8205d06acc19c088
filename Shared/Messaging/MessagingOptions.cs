using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Messaging;

/// <summary>Section <c>Messaging</c>: the background queue of published messages.</summary>
public sealed class MessagingOptions
{
    /// <summary>Published messages that may wait; a publisher waits when it is full. 16 to 1,000,000.</summary>
    [Range(16, 1_000_000)]
    public int QueueCapacity { get; set; } = 10_000;

    /// <summary>Messages handled at the same time; more than one means that order is not kept. 1 to 64.</summary>
    [Range(1, 64)]
    public int Workers { get; set; } = 4;

    /// <summary>How long a publisher waits for a place in a full queue before its message is dropped. 0 to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
