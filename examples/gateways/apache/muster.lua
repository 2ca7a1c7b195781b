-- The hook of muster.conf: asks Muster whether the request may pass.

local http = require "socket.http"
local ltn12 = require "ltn12"

local url = "http://127.0.0.1:8080/access/verify?service=gateway"
local identity = { "x-muster-user-id", "x-muster-username", "x-muster-group", "x-muster-token-id" }

-- Seconds for each step: connecting, sending, waiting. LuaSocket's own limit is a minute.
http.TIMEOUT = 5

function muster(r)
    -- What the client sends under Muster's names goes, also in spellings that an application may read as the same name:
    -- CGI and WSGI make one of X-Muster-Group and X_Muster_Group.
    for name in pairs(r:headers_in_table()) do
        if name:lower():gsub("_", "-"):find("^x%-muster%-") then
            r.headers_in[name] = nil
        end
    end

    local answered, status, answer = http.request {
        url = url,
        headers = {
            -- The address that Apache sees; with mod_remoteip that of the client behind another proxy.
            ["x-forwarded-for"] = r.useragent_ip,
            ["authorization"] = r.headers_in["Authorization"],
        },
        -- Apache has error pages of its own.
        sink = ltn12.sink.null(),
        -- A redirect would be no answer of Muster.
        redirect = false,
    }

    if not answered then
        -- `status` is the reason here, such as "connection refused".
        r:err("Muster can't be asked: " .. tostring(status))
        return 503
    end
    if status == 200 then
        -- For the access log.
        r.user = answer["x-muster-username"]
        for _, name in ipairs(identity) do
            r.headers_in[name] = answer[name]
        end
        return apache2.OK
    end
    -- err_headers_out, unlike headers_out, is sent with errors too.
    for _, name in ipairs { "www-authenticate", "retry-after" } do
        if answer[name] then
            r.err_headers_out[name] = answer[name]
        end
    end
    return status
end
