-- The action `http-request lua.muster URL`: asks Muster at URL whether the request may pass.

local identity = { "x-muster-user-id", "x-muster-username", "x-muster-group", "x-muster-token-id" }
local explanation = { "www-authenticate", "retry-after", "content-type" }

local function ask(txn, url)
    local given = txn.http:req_get_headers()
    -- The address that HAProxy sees, and nothing that the client claims. Behind another proxy, let
    -- `http-request set-src` put the client's address there first.
    local headers = { ["x-forwarded-for"] = { txn.f:src() } }
    if given["authorization"] then
        headers["authorization"] = { given["authorization"][0] }
    end

    -- Milliseconds for one attempt; HAProxy makes four. By itself it answers 503 for a Muster that it can't reach, and
    -- 504 for one that is silent.
    local answer = core.httpclient():get({ url = url, headers = headers, timeout = 1500 })
    local status = answer.status
    -- Now and then the status is 0 when Muster goes away. HAProxy would send it to the client as it is.
    if not status or status == 0 then
        status = 503
    end

    if status == 200 then
        for _, name in ipairs(identity) do
            if answer.headers[name] then
                txn.http:req_set_header(name, answer.headers[name][0])
            end
        end
        return
    end

    local reply = txn:reply({ status = status })
    for _, name in ipairs(explanation) do
        if answer.headers and answer.headers[name] then
            reply:add_header(name, answer.headers[name][0])
        end
    end
    if answer.body then
        reply:set_body(answer.body)
    end
    txn:done(reply)
end

-- One argument: the URL.
core.register_action("muster", { "http-req" }, ask, 1)
