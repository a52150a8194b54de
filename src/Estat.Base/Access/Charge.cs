// What a request took out of a key's limits, until it is known whether its events are acknowledged.
namespace Estat.Base.Access;

/// <summary>Answered once, also if the events cannot be acknowledged for a fault. The default is what a request without a key took:
/// nothing.</summary>
/// <param name="Sender">Whose key it showed; null without.</param>
/// <param name="Events">How many.</param>
/// <param name="Day">The day whose quota they were taken out of: it may be over by the answer.</param>
public readonly record struct Charge(Sender? Sender, int Events, int Day)
{
    /// <summary>The events were acknowledged, or not: the day's quota counts acknowledged ones.</summary>
    public void OnAnswered(bool isAccepted)
    {
        if (isAccepted)
        {
            Sender?.OnAcknowledged(Events);
        }
        else
        {
            Sender?.GiveBack(Events, Day);
        }
    }
}
