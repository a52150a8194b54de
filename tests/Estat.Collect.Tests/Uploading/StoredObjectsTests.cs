using Estat.Collect.Uploading;
using StoredObject = Estat.Collect.Uploading.StoredObject;

namespace Estat.Collect.Tests.Uploading;

public sealed class StoredObjectsTests
{
    [Fact]
    public void The_newest_is_first_whichever_was_told_first()
    {
        var objects = new StoredObjects();
        foreach (int second in new[] { 1, 3, 2 })
        {
            DateTime stored = DateTime.UnixEpoch.AddSeconds(second);
            objects.Add(new StoredObject($"raw/{second}", Events: 1, Bytes: 1, ContentBytes: 1, DateTime.UnixEpoch, stored));
        }

        Assert.Equal(["raw/3", "raw/2"], objects.Newest(2).Select(stored => stored.Key));
    }
}
